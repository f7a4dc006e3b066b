//! The figures, one row for each work, and how they are shown.

use std::fmt::Write;

/// What one contestant did.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Nanoseconds of CPU time for an operation: least, median, most.
    pub ns: [f64; 3],
    /// Allocations for an operation.
    pub allocations: f64,
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
    /// Through the C ABI.
    pub rota: Figures,
    /// By hand.
    pub hand: Option<Figures>,
}

/// What is wanted at most: nanoseconds, or instructions where that is how it is measured.
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
    ("echo_1", "450 instr, 3 calls"),
    ("echo_50", "280 instr, 2 calls"),
];

/// The value of `"name": ` in a line of the C program's.
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

/// The rows of the C program's JSON lines, in the order of the works.
pub fn rows(lines: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    for line in lines.lines() {
        let figures = Figures {
            ns: [number(line, "min")?, number(line, "median")?, number(line, "max")?],
            allocations: number(line, "allocations_per_op")?,
            checked: field(line, "checked")? == "true",
            ..Figures::default()
        };
        let work = field(line, "work")?;
        match rows.iter_mut().find(|row| row.work == work) {
            Some(row) => row.hand = Some(figures),
            None => rows.push(Row { work: work.into(), rota: figures, hand: None }),
        }
    }
    Ok(rows)
}

fn count(figure: Option<f64>) -> String {
    figure.map_or("-".into(), |figure| format!("{figure:.1}"))
}

/// The table, in Markdown.
pub fn show(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| work | rota ns (min..max) | hand ns | ratio | rota instr | hand instr | rota calls | hand calls \
         | allocations | bar |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let none = Figures::default();
        let (rota, hand) = (&row.rota, row.hand.as_ref().unwrap_or(&none));
        let bar = BARS.iter().find(|bar| bar.0 == row.work).map_or("", |bar| bar.1);
        let [least, median, most] = rota.ns;
        let ns = format!("{median:.1} ({least:.1}..{most:.1})");
        let (beside, ratio) = match row.hand.is_some() {
            true => (format!("{:.1}", hand.ns[1]), format!("{:.1}", median / hand.ns[1])),
            false => ("-".into(), "-".into()),
        };
        let wrong = if rota.checked && (row.hand.is_none() || hand.checked) { "" } else { " WRONG" };
        let _ = writeln!(
            text,
            "| {}{wrong} | {ns} | {beside} | {ratio} | {} | {} | {} | {} | {:.2} | {bar} |",
            row.work,
            count(rota.instructions),
            count(hand.instructions),
            count(rota.calls),
            count(hand.calls),
            rota.allocations,
        );
    }
    text
}
