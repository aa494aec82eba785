//! Statements as they are really written, against what they did: `statements.txt`.

use super::super::tests::line;
use super::*;
use crate::testing::at;

/// A statement, where it ran, its parameters, and what it is expected to have done.
struct Case {
    system: String,
    statement: String,
    attributes: Vec<(String, Value)>,
    expected: Vec<String>,
}

/// Blocks between empty lines: `system`, the statement, lines `+ name value` of further attributes, lines `= …`.
fn cases(text: &str) -> Vec<Case> {
    let blocks = text.split("\n\n").map(|block| block.lines().filter(|line| !line.starts_with('#')));
    let case = |lines: Vec<&str>| {
        let mut case = Case {
            system: lines.first()?.to_string(),
            statement: String::new(),
            attributes: vec![],
            expected: vec![],
        };
        for line in lines.iter().skip(1) {
            if let Some(expected) = line.strip_prefix("= ") {
                case.expected.push(expected.to_owned());
            } else if let Some((name, value)) = line.strip_prefix("+ ").and_then(|rest| rest.split_once(' '))
            {
                case.attributes.push((name.to_owned(), Value::from(value)));
            } else {
                case.statement.push_str(line);
                case.statement.push('\n');
            }
        }
        case.statement = case.statement.trim_end().to_owned();
        Some(case)
    };
    blocks.filter_map(|lines| case(lines.collect())).collect()
}

fn did(statements: &mut Statements, case: &Case) -> Vec<String> {
    let mut attributes = vec![
        ("db.system.name".to_owned(), Value::from(case.system.as_str())),
        ("db.namespace".to_owned(), Value::from("shop")),
        ("db.query.text".to_owned(), Value::from(case.statement.as_str())),
    ];
    attributes.extend(case.attributes.clone());
    let span = Span { attributes: attributes.into_iter().collect(), end: at(1.0), ..Span::default() };
    let read = statements.read(&span).unwrap_or_default();
    let controls = read.controls.iter().map(|(_, control)| format!("{control:?}").to_lowercase());
    controls.chain(read.drafts.iter().map(line)).collect()
}

#[test]
fn statements_do_what_they_say() {
    let text = include_str!("statements.txt");
    let cases = cases(text);
    assert!(cases.len() >= 150, "{} statements", cases.len());
    let mut statements = Statements::default();
    let mut wrong = String::new();
    for case in &cases {
        let did = did(&mut statements, case);
        if did != case.expected {
            wrong.push_str(&format!("\n{}\n{}\n", case.system, case.statement));
            did.iter().for_each(|line| wrong.push_str(&format!("= {line}\n")));
        }
    }
    assert!(wrong.is_empty(), "these did something else:\n{wrong}");
}

#[test]
fn a_statement_is_parsed_once_whatever_its_values() {
    let mut statements = Statements::default();
    for number in 0..100 {
        let statement = format!("UPDATE orders SET status = 's{number}' WHERE id = {number}");
        let case = Case { system: "postgresql".into(), statement, attributes: vec![], expected: vec![] };
        assert_eq!(
            did(&mut statements, &case),
            [format!("order/{number} shop/orders write status=s{number}")]
        );
    }
    assert_eq!(statements.shapes.len(), 1);
}
