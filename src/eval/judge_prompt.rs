//! A question, its answer and what to judge by come in; the judge's prompt goes out.
//!
//! Every text that is not ours stands in a fence of its own, `<answer-NONCE>` … `</answer-NONCE>` on lines
//! of their own, with a nonce made for this call alone: the text can't close its fence, because it was
//! written before the nonce was. Texts are put in as values and are never read as templates.

use std::io::{self, Write};

use minijinja::{AutoEscape, Environment, Value, context};

use super::excerpt::excerpt;
use crate::suite::template_environment;

const BUILT_IN: &str = include_str!("judge_prompt.md");
/// Joins every prompt, also a suite's own: the form of the reply is not the suite's to change.
const REPLY: &str = include_str!("judge_reply.md");
/// A longer prompt is refused, in bytes: a loop in a template can repeat an answer.
const MAX_PROMPT_BYTES: usize = 32 << 20;

/// What the judge is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Material<'a> {
    /// The instructions that the model under evaluation works under.
    pub(super) system: Option<&'a str>,
    /// The question.
    pub(super) question: &'a str,
    /// The answer under judgement.
    pub(super) answer: &'a str,
    /// What to compare with.
    pub(super) reference: Option<&'a str>,
    /// What to score by.
    pub(super) rubric: Option<&'a str>,
}

/// The prompt's templates, compiled once for a run.
#[derive(Debug)]
pub(super) struct JudgePrompt<'s> {
    templates: Environment<'s>,
}

impl<'s> JudgePrompt<'s> {
    /// The suite's own template, or the built-in one. It is tried out, so that one that can't be rendered
    /// is known before the first call.
    pub(super) fn new(own: Option<&'s str>) -> Result<JudgePrompt<'s>, String> {
        let mut templates = template_environment();
        templates.set_auto_escape_callback(|_| AutoEscape::None);
        templates
            .add_template("prompt", own.unwrap_or(BUILT_IN))
            .map_err(|fault| told(&fault))?;
        templates
            .add_template("reply", REPLY)
            .map_err(|fault| told(&fault))?;
        let prompt = JudgePrompt { templates };
        let empty = Material {
            system: None,
            question: "q",
            answer: "a",
            reference: None,
            rubric: None,
        };
        let full = Material {
            system: Some("s"),
            reference: Some("r"),
            rubric: Some("u"),
            ..empty
        };
        for material in [empty, full] {
            prompt.with_nonce(&material, "0")?;
        }
        Ok(prompt)
    }

    /// The prompt for one call, with a nonce of its own.
    pub(super) fn render(&self, material: &Material<'_>) -> Result<String, String> {
        let mut nonce = new_nonce();
        while material.holds(&nonce) {
            nonce = new_nonce();
        }
        self.with_nonce(material, &nonce)
    }

    fn with_nonce(&self, material: &Material<'_>, nonce: &str) -> Result<String, String> {
        let fenced = |name: &str, text: Option<&str>| match text {
            Some(text) => format!("<{name}-{nonce}>\n{text}\n</{name}-{nonce}>"),
            None => String::new(),
        };
        let answer = Value::from(fenced("answer", Some(material.answer)));
        let rubric = Value::from(fenced("rubric", material.rubric));
        let values = context! {
            nonce,
            system => fenced("system", material.system),
            prompt => fenced("question", Some(material.question)),
            answer => answer.clone(),
            reference => fenced("reference", material.reference),
            rubric => rubric.clone(),
        };
        let mut prompt = self.part("prompt", &values)?;
        // Without the answer the judge would score nothing at all; and a rubric is written to be used.
        for (heading, block) in [
            ("The answer to score:", &answer),
            ("The criteria to score by:", &rubric),
        ] {
            let block = block.as_str().unwrap_or_default();
            if !prompt.contains(block) {
                prompt.push_str(&format!("\n\n{heading}\n\n{block}"));
            }
        }
        let mut prompt = prompt.trim_end().to_owned();
        prompt.push_str(&self.part("reply", &values)?);
        Ok(prompt)
    }

    fn part(&self, name: &str, values: &Value) -> Result<String, String> {
        let mut out = Bounded(Vec::new());
        let template = self.templates.get_template(name).map_err(|fault| told(&fault))?;
        template
            .render_captured_to(values.clone(), &mut out)
            .map_err(|fault| told(&fault))?;
        String::from_utf8(out.0).map_err(|fault| fault.to_string())
    }
}

impl Material<'_> {
    fn holds(&self, nonce: &str) -> bool {
        [
            self.system,
            Some(self.question),
            Some(self.answer),
            self.reference,
            self.rubric,
        ]
        .into_iter()
        .flatten()
        .any(|text| text.contains(nonce))
    }
}

/// 32 hexadecimal digits of which 122 bits are random.
fn new_nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The fault on one line, with the template's line where it is known.
fn told(fault: &minijinja::Error) -> String {
    let line = fault
        .line()
        .map(|line| format!(" (line {line})"))
        .unwrap_or_default();
    let what = fault
        .detail()
        .map_or_else(|| fault.kind().to_string(), str::to_owned);
    format!("{}{line}", excerpt(&what.replace(char::is_control, " "), 200))
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_PROMPT_BYTES {
            return Err(io::Error::other("the prompt is longer than 32 MiB"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
