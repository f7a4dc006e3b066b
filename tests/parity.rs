//! tests/asyncio_parity.md says what holds here of each of CPython's tests of asyncio. This holds it honest: every
//! line has its verdict, every case that it names is there and runs, every program that restates is in it, and the
//! counts are those of the lines.

mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tools::root;

const TABLE: &str = "tests/asyncio_parity.md";
const HEADING: &str = "| CPython's test | verdict | by | note |";

/// Verdicts: the word, and whether the line names cases of ours.
const VERDICTS: [(&str, bool); 4] =
    [("restated", true), ("older test", true), ("no meaning", false), ("waiting", false)];

/// How programs that restate are called.
const RESTATES: &str = "parity_";

/// What begins the note of a line in which rota behaves otherwise.
const DIFFERS: &str = "Differs:";

/// One of CPython's tests.
struct Line {
    at: String,
    test: String,
    verdict: String,
    /// Programs of ours and the cases in them.
    by: Vec<(String, Vec<String>)>,
    note: String,
}

/// One of CPython's files.
struct Section {
    title: String,
    /// How many tests it has, as its title says.
    count: usize,
    lines: Vec<Line>,
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

fn cases_of(by: &str) -> Vec<(String, Vec<String>)> {
    let programs = by.split("; ").filter(|part| !part.is_empty());
    let split = programs.map(|part| part.split_once(": ").unwrap_or((part, "")));
    split.map(|(file, cases)| (file.to_string(), cases.split(", ").map(str::to_string).collect())).collect()
}

/// The text above the first section, and the sections.
fn table() -> (String, Vec<Section>) {
    let text = tools::read(&root().join(TABLE));
    let (head, _) = text.split_once("\n## ").expect("a section");
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate().skip(head.lines().count()) {
        let at = format!("{TABLE}:{}", index + 1);
        if let Some(title) = line.strip_prefix("## ") {
            let (title, count) = title.split_once(": ").unwrap_or_else(|| panic!("{at}: a title without a count"));
            let count = count.parse().unwrap_or_else(|_| panic!("{at}: {count} is no count"));
            sections.push(Section { title: title.to_string(), count, lines: Vec::new() });
        } else if line.starts_with("| ") && line != HEADING {
            let [test, verdict, by, note] = cells(line)[..] else { panic!("{at}: not four cells: {line}") };
            let (test, verdict, note) = (test.to_string(), verdict.to_string(), note.to_string());
            let line = Line { at, test, verdict, by: cases_of(by), note };
            sections.last_mut().expect("a section").lines.push(line);
        }
    }
    (head.to_string(), sections)
}

fn all_lines() -> Vec<Line> {
    table().1.into_iter().flat_map(|section| section.lines).collect()
}

/// The cases of a program that are written, and that its main runs.
fn cases_in(program: &Path) -> BTreeSet<String> {
    let text = tools::read(program);
    let written = text.lines().filter_map(|line| line.strip_prefix("TEST(")?.split_once(')'));
    let runs = |name: &str| text.lines().any(|line| line.trim() == format!("RUN({name});"));
    written.map(|(name, _)| name.to_string()).filter(|name| runs(name)).collect()
}

/// All cases, by program.
fn all_cases() -> BTreeMap<String, BTreeSet<String>> {
    let folders = [("tests/c", "c"), ("tests/cpp", "cpp")];
    let programs = folders.iter().flat_map(|(folder, kind)| tools::files_under(&root().join(folder), kind));
    programs.map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), cases_in(&path))).collect()
}

fn check(rule: &str, problems: Vec<String>) {
    assert!(problems.is_empty(), "{rule}:\n{}", problems.join("\n"));
}

#[test]
fn each_file_has_as_many_lines_as_tests_and_each_test_one() {
    let mut problems = Vec::new();
    let (_, sections) = table();
    assert!(sections.len() > 1, "{TABLE} has no sections");
    for section in &sections {
        if section.count != section.lines.len() || section.count == 0 {
            problems.push(format!("{}: {} lines, not {}", section.title, section.lines.len(), section.count));
        }
        let mut seen = BTreeSet::new();
        for line in &section.lines {
            if !line.test.contains(".test_") {
                problems.push(format!("{}: not Class.test_name: {}", line.at, line.test));
            }
            if !seen.insert(&line.test) {
                problems.push(format!("{}: {} a second time", line.at, line.test));
            }
        }
    }
    check("a line for each test, as many as the title says", problems);
}

#[test]
fn each_line_has_a_verdict_and_what_belongs_to_it() {
    let mut problems = Vec::new();
    for line in all_lines() {
        let Some((_, named)) = VERDICTS.iter().find(|(word, _)| *word == line.verdict) else {
            problems.push(format!("{}: no verdict: {}", line.at, line.verdict));
            continue;
        };
        if line.by.is_empty() == *named {
            problems.push(format!("{}: {} and cases do not go together", line.at, line.verdict));
        }
        if !named && (line.note.is_empty() || line.note.starts_with(DIFFERS)) {
            problems.push(format!("{}: {} without saying why", line.at, line.verdict));
        }
        let restated = line.by.iter().any(|(program, _)| program.starts_with(RESTATES));
        if *named && restated != (line.verdict == "restated") {
            problems.push(format!("{}: restated is what stands in {RESTATES}*.c", line.at));
        }
    }
    check("a verdict is one of four, and names cases or says why not", problems);
}

#[test]
fn each_case_that_is_named_is_there_and_runs() {
    let cases = all_cases();
    let mut problems = Vec::new();
    for line in all_lines() {
        for (program, named) in &line.by {
            let missing = |case: &&String| !cases.get(program).is_some_and(|there| there.contains(*case));
            for case in named.iter().filter(missing) {
                problems.push(format!("{}: {program} runs no {case}", line.at));
            }
        }
    }
    check("cases that the table names", problems);
}

#[test]
fn each_case_that_restates_is_named() {
    let named: BTreeSet<(String, String)> = all_lines()
        .into_iter()
        .flat_map(|line| line.by)
        .flat_map(|(program, cases)| cases.into_iter().map(move |case| (program.clone(), case)))
        .collect();
    let restating = all_cases().into_iter().filter(|(program, _)| program.starts_with(RESTATES));
    let pairs = restating.flat_map(|(program, cases)| cases.into_iter().map(move |case| (program.clone(), case)));
    let unnamed = pairs.filter(|pair| !named.contains(pair)).map(|(program, case)| format!("{program}: {case}"));
    check("cases that no line names", unnamed.collect());
}

#[test]
fn the_counts_at_the_top_are_those_of_the_lines() {
    let (head, sections) = table();
    let lines: Vec<Line> = sections.into_iter().flat_map(|section| section.lines).collect();
    let said: BTreeMap<&str, &str> =
        head.lines().filter(|line| line.starts_with("| ")).map(|line| (cells(line)[0], cells(line)[1])).collect();
    let mut counts: Vec<(&str, usize)> =
        VERDICTS.iter().map(|(word, _)| (*word, lines.iter().filter(|line| line.verdict == *word).count())).collect();
    counts.push(("all", lines.len()));
    for (word, count) in counts {
        assert_eq!(said.get(word).copied(), Some(count.to_string().as_str()), "{TABLE}: how many are '{word}'");
    }
    let differ = lines.iter().filter(|line| line.note.starts_with(DIFFERS)).count();
    assert!(head.contains(&format!("In {differ} of them rota behaves otherwise")), "{TABLE}: {differ} differ");
}
