//! A chat call read strictly: a body comes in, what is asked of which model goes out. Fields and ranges are
//! those of the reference and of the SDK's `chat_completions_params`.

use std::borrow::Cow;

use serde_json::Value;

use crate::emulator::fields::Fields;
use crate::emulator::refusal::Refusal;

const FIELDS: [&str; 14] = [
    "project_id",
    "model",
    "messages",
    "temperature",
    "max_completion_tokens",
    "seed",
    "stop",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "stream",
    "tools",
    "tool_choice",
];

const ROLES: [&str; 4] = ["system", "user", "assistant", "tool"];

/// A sound chat call.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) project: Option<&'a str>,
    pub(super) model: &'a str,
    pub(super) messages: Vec<Said<'a>>,
    pub(super) temperature: f64,
    pub(super) most_tokens: Option<usize>,
    pub(super) seed: Option<i64>,
    pub(super) stop: Vec<&'a str>,
    pub(super) stream: bool,
    /// The properties of the JSON that is wanted, where a schema is given.
    pub(super) keys: Option<Vec<String>>,
}

/// One message.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) role: &'a str,
    pub(super) content: &'a str,
}

impl<'a> Ask<'a> {
    pub(super) fn read(body: &'a Value) -> Result<Self, Refusal> {
        let fields = Fields::of(body, "")?;
        fields.only(&FIELDS)?;
        let project = fields
            .get("project_id")
            .map(|_| fields.text("project_id"))
            .transpose()?;
        let model = fields.text("model")?;
        let messages = messages(&fields)?;
        let temperature = fields.number("temperature", 0.0..=2.0)?.unwrap_or(0.0);
        fields.number("top_p", 0.0..=1.0)?;
        fields.number("frequency_penalty", -2.0..=2.0)?;
        fields.number("presence_penalty", -2.0..=2.0)?;
        let most_tokens = fields.integer("max_completion_tokens", 1..=i64::from(u32::MAX))?;
        if let Some(tools) = fields.get("tools") {
            tools
                .as_array()
                .ok_or_else(|| Refusal::bad("`tools` must be an array"))?;
        }
        Ok(Ask {
            project,
            model,
            messages,
            temperature,
            most_tokens: most_tokens.and_then(|most| usize::try_from(most).ok()),
            seed: fields.integer("seed", i64::MIN..=i64::MAX)?,
            stop: stops(&fields)?,
            stream: fields.boolean("stream")?.unwrap_or(false),
            keys: keys(&fields)?,
        })
    }

    /// The last user message, or the last of any kind.
    pub(super) fn user(&self) -> &'a str {
        let user = self.messages.iter().rfind(|message| message.role == "user");
        user.or(self.messages.last())
            .map_or("", |message| message.content)
    }

    /// All that was said to the model, what it said itself left out.
    pub(super) fn told(&self) -> Cow<'a, str> {
        let mut told = self.messages.iter().filter(|message| message.role != "assistant");
        match (told.next(), told.next()) {
            (Some(only), None) => Cow::Borrowed(only.content),
            _ => {
                let told = self.messages.iter().filter(|message| message.role != "assistant");
                Cow::Owned(
                    told.map(|message| message.content)
                        .collect::<Vec<_>>()
                        .join("\n\n"),
                )
            }
        }
    }
}

fn messages<'a>(fields: &Fields<'a>) -> Result<Vec<Said<'a>>, Refusal> {
    let mut said = Vec::new();
    for (place, value) in fields.list("messages")?.iter().enumerate() {
        let message = Fields::of(value, &format!("messages[{place}]"))?;
        message.only(&["role", "content", "name", "tool_call_id", "tool_calls"])?;
        let role = message.word("role", &ROLES)?;
        if role == "system" && place > 0 {
            return Err(Refusal::bad(format!(
                "`messages[{place}].role`: system is only allowed first"
            )));
        }
        let content = message.optional_text("content", usize::MAX)?;
        // Only what a model or a tool said may lack words.
        if content.is_none() && !matches!(role, "assistant" | "tool") {
            return Err(Refusal::bad(format!(
                "`{}` must be a string",
                message.path("content")
            )));
        }
        said.push(Said {
            role,
            content: content.unwrap_or_default(),
        });
    }
    Ok(said)
}

fn stops<'a>(fields: &Fields<'a>) -> Result<Vec<&'a str>, Refusal> {
    let wrong = || Refusal::bad("`stop` must be a string or an array of strings");
    match fields.get("stop") {
        None => Ok(Vec::new()),
        Some(Value::String(stop)) => Ok(vec![stop]),
        Some(Value::Array(stops)) => stops
            .iter()
            .map(|stop| stop.as_str().ok_or_else(wrong))
            .collect::<Result<Vec<_>, _>>(),
        Some(_) => Err(wrong()),
    }
}

fn keys(fields: &Fields<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(value) = fields.get("response_format") else {
        return Ok(None);
    };
    let format = Fields::of(value, "response_format")?;
    if format.word("type", &["text", "json_schema"])? == "text" {
        return Ok(None);
    }
    let given = format.get("json_schema").unwrap_or(&Value::Null);
    Fields::of(given, "response_format.json_schema")?;
    // OpenAI wraps the schema with its name; bare ones are sent as well.
    let schema = given.get("schema").unwrap_or(given);
    let properties = schema.get("properties").and_then(Value::as_object);
    Ok(Some(
        properties
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default(),
    ))
}
