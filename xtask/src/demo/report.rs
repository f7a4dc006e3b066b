//! What the clients and the server said: figures in a table, checksums in a verdict.

use std::collections::BTreeMap;

/// One run: a client, the server it spoke to, and what it got.
pub struct Column {
    /// The client's.
    pub name: String,
    /// What the client says of itself.
    pub client: Figures,
    /// What the server says of the run.
    pub server: Figures,
    /// Of everything that the client has fetched.
    pub sums: Sums,
}

/// One flat JSON object of numbers.
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Reads what the programs of the demo write; no other JSON.
    pub fn parse(text: &str) -> Result<Figures, String> {
        let wrong = || format!("not an object of numbers: {text:?}");
        let inside = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(wrong)?;
        let mut figures = BTreeMap::new();
        for pair in inside.split(',') {
            let (name, number) = pair.split_once(':').ok_or_else(wrong)?;
            let number = number.trim().parse().map_err(|_| wrong())?;
            figures.insert(name.trim().trim_matches('"').to_string(), number);
        }
        Ok(Figures(figures))
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}

/// URL path -> checksum and size.
pub struct Sums(BTreeMap<String, (String, u64)>);

impl Sums {
    /// Reads lines of `checksum  size  path`.
    pub fn parse(text: &str) -> Result<Sums, String> {
        let mut sums = BTreeMap::new();
        for line in text.lines() {
            let mut words = line.splitn(3, "  ");
            let (Some(sum), Some(size), Some(path)) = (words.next(), words.next(), words.next()) else {
                return Err(format!("not a checksum, a size and a path: {line:?}"));
            };
            let size = size.parse().map_err(|_| format!("not a size: {line:?}"))?;
            sums.insert(path.to_string(), (sum.to_string(), size));
        }
        Ok(Sums(sums))
    }
}

type Show = fn(f64) -> String;
type Row = (&'static str, &'static str, Show);

const CLIENT: [Row; 11] = [
    ("requests", "requests", whole),
    ("failures", "failures", whole),
    ("bytes", "bytes", whole),
    ("seconds", "seconds", |value| format!("{value:.2}")),
    ("latency p50", "p50_us", milliseconds),
    ("latency p99", "p99_us", milliseconds),
    ("MB a second", "megabytes_per_second", |value| format!("{value:.0}")),
    ("turns", "turns", whole),
    ("tasks", "tasks_peak", whole),
    ("wake-ups", "wakeups", whole),
    ("peak memory", "memory_peak_bytes", megabytes),
];

const SERVER: [Row; 7] = [
    ("requests", "requests", whole),
    ("bytes, with heads", "bytes", whole),
    ("turns", "turns", whole),
    ("tasks at once", "tasks_peak", whole),
    ("wake-ups", "wakeups", whole),
    ("peak memory", "memory_peak_bytes", megabytes),
    ("of it the loop's", "loop_memory_peak_bytes", megabytes),
];

/// The figures, a column for each run.
pub fn table(columns: &[&Column]) -> String {
    let mut lines = vec![line("", columns.iter().map(|column| column.name.clone()))];
    lines.push("the client".to_string());
    for (title, name, show) in CLIENT {
        lines.push(line(title, columns.iter().map(|column| cell(client_figure(&column.client, name), show))));
    }
    lines.push("the server meanwhile".to_string());
    for (title, name, show) in SERVER {
        lines.push(line(title, columns.iter().map(|column| cell(column.server.get(name), show))));
    }
    lines.join("\n") + "\n\n"
}

fn client_figure(client: &Figures, name: &str) -> Option<f64> {
    match name {
        "megabytes_per_second" => Some(client.get("bytes")? / 1e6 / client.get("seconds")?),
        _ => client.get(name),
    }
}

fn line(title: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(format!("  {title:<18}"), |line, cell| format!("{line}{cell:>18}"))
}

fn cell(value: Option<f64>, show: Show) -> String {
    value.map_or_else(|| "-".to_string(), show)
}

/// 1234567 as 1,234,567.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn milliseconds(microseconds: f64) -> String {
    format!("{:.2} ms", microseconds / 1e3)
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1} MB", bytes / 1e6)
}

/// Whether every client got every file as it is on the disk, and nothing else.
pub fn verdict(expected: &Sums, columns: &[&Column]) -> Result<(), String> {
    let mut wrong = Vec::new();
    for column in columns {
        for (path, sum) in &expected.0 {
            match column.sums.0.get(path) {
                Some(found) if found == sum => {}
                Some(found) => wrong.push(format!("{}: {path} is {found:?}, not {sum:?}", column.name)),
                None => wrong.push(format!("{}: {path} was not fetched", column.name)),
            }
        }
        let extra = column.sums.0.keys().filter(|path| !expected.0.contains_key(*path));
        wrong.extend(extra.map(|path| format!("{}: {path} is not among the files", column.name)));
        if column.client.get("failures") != Some(0.0) {
            wrong.push(format!("{} says that it failed", column.name));
        }
    }
    if !wrong.is_empty() || expected.0.is_empty() {
        let shown = wrong.iter().take(10).map(|text| format!("  {text}\n")).collect::<String>();
        return Err(format!("{shown}MISMATCH: {} of {} files", wrong.len(), expected.0.len()));
    }
    let bytes: u64 = expected.0.values().map(|(_, size)| size).sum();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    println!(
        "OK: all {} files ({} bytes) came through {} with the SHA-256 they have on the disk.",
        whole(expected.0.len() as f64),
        whole(bytes as f64),
        names.join(" and through "),
    );
    Ok(())
}
