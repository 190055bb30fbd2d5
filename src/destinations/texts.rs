//! The texts of a request, made of a rule's templates.

use crate::destinations::call::{Call, Verdict};
use crate::domain::routing::template::{Source, Target, Template};

/// The texts of one request.
pub struct Texts<'a> {
    call: &'a Call<'a>,
    /// What people should know of how they were made.
    pub notes: Vec<String>,
}

impl<'a> Texts<'a> {
    /// The texts of a call.
    pub fn new(call: &'a Call<'a>) -> Self {
        Self { call, notes: Vec::new() }
    }

    /// What the rule's template gives; nothing where the rule has none.
    ///
    /// # Errors
    /// That the template cannot be read, or gives too much.
    pub fn text(&mut self, key: &str, target: Target) -> Result<String, Verdict> {
        self.filled(self.call.says(key), target)
    }

    /// What the rule's template gives, or this one where the rule has none; and which it was.
    ///
    /// # Errors
    /// That the template cannot be read, or gives too much.
    pub fn text_or(
        &mut self,
        key: &str,
        template: &'a str,
        target: Target,
    ) -> Result<(String, &'a str), Verdict> {
        let template = match self.call.says(key).trim() {
            "" => template,
            said => said,
        };
        Ok((self.filled(template, target)?, template))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// That there is none.
    pub fn required(&mut self, key: &str, target: Target) -> Result<String, Verdict> {
        match self.text(key, target)? {
            text if text.is_empty() => {
                Err(Verdict::refused(format!("There is no {key}: its template gives no text")))
            }
            text => Ok(text),
        }
    }

    fn filled(&mut self, template: &str, target: Target) -> Result<String, Verdict> {
        let tree = self.call.tree();
        let facts = self.call.facts();
        let source = Source { payload: &tree, facts, mapped: self.call.mapped };
        let template = Template::parse(template).map_err(Verdict::refused)?;
        let rendered = template.render(&source, target);
        self.notes.extend(rendered.notes());
        if rendered.is_cut {
            return Err(Verdict::refused("The text is too long to be sent"));
        }
        Ok(rendered.text.trim().to_owned())
    }
}
