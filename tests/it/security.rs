//! `SECURITY.md` names the test that stands for each boundary: each of them is there.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What stands in backticks in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The first words of a test of the running Worker, which are given behind the file that it is in.
fn named<'a>(rest: &'a str, file: &str) -> Option<&'a str> {
    rest.split_once(&format!("`{file}`: \""))?.1.split('"').next()
}

#[test]
fn every_boundary_has_a_test_that_is_there() {
    let page = read("SECURITY.md");
    let (mut native, mut running) = (0, 0);
    for word in quoted(&page).filter(|word| *word != "file::name") {
        if let Some((file, test)) = word.split_once("::") {
            let source = read(&format!("tests/it/{file}.rs"));
            let is_there = test == "*" || source.contains(&format!("\nfn {test}()"));
            assert!(is_there && source.contains("#[test]"), "no test {word}");
            native += 1;
        } else if word.starts_with("domain/") {
            assert!(read(&format!("src/{word}")).contains("#[test]"), "no test in {word}");
        } else if word.ends_with(".test.mjs") {
            let source = read(word);
            if let Some(test) = named(&page, word) {
                assert!(source.contains(test), "no test {test:?} in {word}");
                running += 1;
            }
        }
    }
    assert!(native > 20 && running > 1, "{native} native ones, {running} on the running Worker");
}

/// Each row of the table of who may do what ends with a test.
#[test]
fn no_row_of_the_threat_model_is_without_a_test() {
    let page = read("SECURITY.md");
    let (_, model) = page.split_once("| who | may |").expect("the table");
    let rows = model.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut count = 0;
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        assert!(quoted(last).next().is_some(), "no test: {row}");
        count += 1;
    }
    assert!(count > 8, "{count} rows");
}
