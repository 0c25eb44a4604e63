//! Shows what is being done: a line per task that changes on a terminal, plain
//! lines elsewhere. All of it on stderr: stdout belongs to results.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// All tasks of one command.
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
}

/// One task: named when it begins, closed with `done` or `failed`.
pub(crate) struct Task {
    name: String,
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Progress {
    /// Picks the way of showing that suits stderr.
    pub(crate) fn new() -> Self {
        Self {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
        }
    }

    /// Begins a task.
    pub(crate) fn task(&self, name: impl Into<String>) -> Task {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {prefix:<12} {wide_msg} {elapsed:>5}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let name = name.into();
        if let Some(bar) = &bar {
            bar.set_prefix(name.clone());
        }
        Task {
            name,
            bar,
            started: Instant::now(),
        }
    }
}

impl Task {
    /// Says which step of the task has begun.
    pub(crate) fn step(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => eprintln!("{}: {text}", self.name),
        }
    }

    /// Closes the task and answers how long it took.
    pub(crate) fn done(self, text: &str) -> Duration {
        let took = self.started.elapsed();
        self.close(&format!("{text} ({:.1} s)", took.as_secs_f64()));
        took
    }

    /// Closes the task as failed; the error itself is told at the end.
    pub(crate) fn failed(self) {
        self.close("failed");
    }

    fn close(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.finish_with_message(text.to_owned()),
            None => eprintln!("{}: {text}", self.name),
        }
    }
}
