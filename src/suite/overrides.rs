//! A validated suite and what a flag says instead → the suite as it is run.

use super::parts::LONGEST_JOB_NAME;
use super::{CycleSettings, Suite, fingerprint, template_environment};

impl Suite {
    /// Has another judge model score the answers. Scores of two judges do not compare, so the fingerprints change.
    pub fn judge_with(&mut self, model: &str) {
        self.judge.model = model.to_owned();
        self.judge.fingerprint = fingerprint::judge(&self.judge);
        self.fingerprint = fingerprint::suite(&self.name, &self.judge, &self.gates, &self.cases);
    }
}

impl CycleSettings {
    /// Renders the job's name. It holds `run`: where the template does not, it is appended.
    ///
    /// # Errors
    /// The template is none that a suite may have: the settings come from a results file that somebody edited.
    pub fn render_job_name(&self, date: &str, suite: &str, model: &str, run: &str) -> Result<String, String> {
        let name = template_environment()
            .render_str(&self.job_name, minijinja::context! { date, suite, model, run })
            .map_err(|error| error.to_string())?;
        if name.trim().is_empty() {
            Err("the name is empty".to_owned())
        } else if !name.contains(run) {
            // The identity is what must not be cut off.
            let room = LONGEST_JOB_NAME.saturating_sub(run.chars().count() + 3);
            let name: String = name.trim_end().chars().take(room).collect();
            Ok(format!("{name} [{run}]"))
        } else {
            Ok(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_s_name_is_rendered_and_a_strange_template_is_refused() {
        let mut cycle = CycleSettings::default();
        assert_eq!(
            cycle.render_job_name("2026-01-02", "s", "m", "1a2b3c4d").unwrap(),
            "Continuous Fine-tuning - 2026-01-02 [1a2b3c4d]"
        );
        cycle.job_name = "{{ run }} of {{ suite }}".into();
        assert_eq!(
            cycle.render_job_name("2026-01-02", "s", "m", "1a2b3c4d").unwrap(),
            "1a2b3c4d of s"
        );
        cycle.job_name = "x".repeat(LONGEST_JOB_NAME);
        let cut = cycle.render_job_name("2026-01-02", "s", "m", "1a2b3c4d").unwrap();
        assert!(
            cut.ends_with("x [1a2b3c4d]") && cut.len() == LONGEST_JOB_NAME,
            "{cut}"
        );
        for strange in ["{{ secret }}", "{{ date", " "] {
            cycle.job_name = strange.into();
            assert!(
                cycle.render_job_name("2026-01-02", "s", "m", "1a2b3c4d").is_err(),
                "{strange}"
            );
        }
    }
}
