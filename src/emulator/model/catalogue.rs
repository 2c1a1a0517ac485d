//! The well-known models: a name comes in, whether it is one and whose goes out.

/// Models that judge and chat, with who runs them.
const CHAT: [(&str, &str); 20] = [
    ("claude-4.5-sonnet", "anthropic"),
    ("claude-4.5-haiku", "anthropic"),
    ("claude-4.5-opus", "anthropic"),
    ("claude-4-sonnet", "anthropic"),
    ("claude-3.7-sonnet", "anthropic"),
    ("gpt-4o", "openai"),
    ("gpt-4o-mini", "openai"),
    ("gpt-4.1", "openai"),
    ("gpt-4.1-mini", "openai"),
    ("gpt-5", "openai"),
    ("gpt-5-mini", "openai"),
    ("gpt-5-nano", "openai"),
    ("gemini-2.5-pro", "google"),
    ("gemini-2.5-flash", "google"),
    ("llama-3.3-70b", "premai"),
    ("llama-4-maverick", "premai"),
    ("deepseek-v3", "premai"),
    ("qwen3-235b", "premai"),
    ("mistral-large", "premai"),
    ("phi-4", "premai"),
];

/// Models that jobs may start from.
pub(in crate::emulator) const BASES: [&str; 10] = [
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen2.5-3B-Instruct",
    "Qwen/Qwen2.5-7B-Instruct",
    "meta-llama/Llama-3.2-1B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.1-8B-Instruct",
    "google/gemma-3-1b-it",
    "google/gemma-3-4b-it",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct",
];

/// Whether a name is that of a well-known model.
pub(in crate::emulator) fn is_known(name: &str) -> bool {
    all().any(|(known, _)| known == name)
}

/// Every well-known model with its owner.
pub(in crate::emulator) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    CHAT.into_iter()
        .chain(BASES.into_iter().map(|base| (base, "premai")))
}
