//! The figures, one row for each contestant of each work, and how they are shown.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What one contestant did.
pub struct Figures {
    /// Its program.
    pub program: PathBuf,
    /// Its name.
    pub contestant: String,
    /// How many operations a round has.
    pub operations: u64,
    /// Nanoseconds of CPU time for an operation, of each round; in order after the last.
    pub ns: Vec<f64>,
    /// Allocations for an operation, over all rounds.
    pub allocations: f64,
    /// Resident bytes for an operation, the most of all rounds; 0 where that is not the question.
    pub bytes: f64,
    /// Whether it did its work right.
    pub checked: bool,
    /// Instructions for an operation, in user space.
    pub instructions: Option<f64>,
    /// System calls for an operation.
    pub calls: Option<f64>,
}

/// One work.
pub struct Row {
    /// Its name.
    pub work: String,
    /// Its contestants; rota comes first.
    pub figures: Vec<Figures>,
}

/// What is wanted of rota at most: nanoseconds, or instructions where that is how it is measured.
const BARS: &[(&str, &str)] = &[
    ("post_chain", "10 ns"),
    ("post_chains_1000", "10 ns"),
    ("timer_later_cancel", "40 ns"),
    ("timer_at_cancel", "40 ns"),
    ("timer_rearm", "30 ns"),
    ("spawn_join", "60 ns"),
    ("spawn_join_1000", "60 ns"),
    ("spawn_join_stepped", "40 ns"),
    ("spawn_join_stepped_1000", "40 ns"),
    ("yield", "25 ns"),
    ("parked_stackful", "4608 bytes"),
    ("parked_stackless", "256 bytes"),
    ("echo_1", "450 instr, 3 calls"),
    ("echo_50", "280 instr, 2 calls"),
];

/// The value of `"name": ` in a contestant's line.
fn field<'a>(line: &'a str, name: &str) -> Result<&'a str, String> {
    let key = format!("\"{name}\": ");
    let from = line.find(&key).ok_or(format!("no {name} in {line}"))? + key.len();
    let rest = &line[from..];
    let end = rest.find([',', '}']).unwrap_or(rest.len());
    Ok(rest[..end].trim_matches('"'))
}

fn number(line: &str, name: &str) -> Result<f64, String> {
    field(line, name)?.parse().map_err(|_| format!("{name} is no number in {line}"))
}

impl Figures {
    /// None yet.
    pub fn new(program: &Path, contestant: &str, operations: u64) -> Self {
        Figures {
            program: program.to_owned(),
            contestant: contestant.to_owned(),
            operations,
            ns: Vec::new(),
            allocations: 0.0,
            bytes: 0.0,
            checked: true,
            instructions: None,
            calls: None,
        }
    }

    /// Adds what a round said.
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let rounds = self.ns.len() as f64;
        self.ns.push(number(line, "ns_per_op")?);
        self.allocations = (self.allocations * rounds + number(line, "allocations_per_op")?) / (rounds + 1.0);
        self.bytes = self.bytes.max(number(line, "bytes_per_op")?);
        self.checked &= field(line, "checked")? == "true";
        Ok(())
    }

    /// After the last round.
    pub fn sort(&mut self) {
        self.ns.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        self.ns[self.ns.len() / 2]
    }
}

fn count(figure: Option<f64>) -> String {
    figure.map_or("-".into(), |figure| format!("{figure:.1}"))
}

/// One line for each contestant.
pub fn json(row: &Row) -> String {
    let mut text = String::new();
    for figures in &row.figures {
        let _ = writeln!(
            text,
            "{{\"work\": \"{}\", \"contestant\": \"{}\", \
             \"ns_per_op\": {{\"min\": {:.2}, \"median\": {:.2}, \"max\": {:.2}}}, \
             \"allocations_per_op\": {:.4}, \"bytes_per_op\": {:.1}, \"checked\": {}}}",
            row.work,
            figures.contestant,
            figures.ns[0],
            figures.median(),
            figures.ns[figures.ns.len() - 1],
            figures.allocations,
            figures.bytes,
            figures.checked,
        );
    }
    text
}

/// The table, in Markdown.
pub fn show(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| work | contestant | CPU ns (min..max) | of rota's | instructions | system calls | allocations | bytes | \
         bar |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let ours = row.figures.iter().find(|figures| figures.contestant == "rota").map(Figures::median);
        for figures in &row.figures {
            let bar = BARS.iter().find(|bar| bar.0 == row.work && figures.contestant == "rota").map_or("", |bar| bar.1);
            let ratio = ours.map_or("-".into(), |ours| format!("{:.2}", figures.median() / ours));
            let bytes = if figures.bytes > 0.0 { format!("{:.0}", figures.bytes) } else { "-".into() };
            let _ = writeln!(
                text,
                "| {} | {}{} | {:.1} ({:.1}..{:.1}) | {ratio} | {} | {} | {:.2} | {bytes} | {bar} |",
                row.work,
                figures.contestant,
                if figures.checked { "" } else { " WRONG" },
                figures.median(),
                figures.ns[0],
                figures.ns[figures.ns.len() - 1],
                count(figures.instructions),
                count(figures.calls),
                figures.allocations,
            );
        }
    }
    text
}
