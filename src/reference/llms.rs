//! `llms.txt`: what a language model has to know to work with an installation, in Markdown.

use crate::reference::Reference;

const HEAD: &str = include_str!("llms.md");

/// The text of the file.
pub fn render(reference: &Reference) -> String {
    let mut text = HEAD.to_owned();
    for section in &reference.sections {
        text += &format!("\n## {}\n\n", section.title);
        for (row, operation) in &section.operations {
            let path = operation.path_with(|name| format!("{{{name}}}"));
            let (method, id, summary) = (&row.method, operation.id, operation.summary);
            text += &format!("- [{method} {path}](/docs#{id}): {summary}\n");
        }
    }
    text
}
