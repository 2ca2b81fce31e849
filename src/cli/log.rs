//! The program's own diagnostics: into the session's folder, never into the dialogue.

use std::path::Path;

use tracing_subscriber::EnvFilter;

/// Writes what is traced from here on to `nofm.log` in the session's folder `dir`. `NOFM_LOG` says how much.
pub(super) fn to_session(dir: &Path) {
    let file = tracing_appender::rolling::RollingFileAppender::builder()
        .rotation(tracing_appender::rolling::Rotation::NEVER)
        .filename_prefix("nofm.log")
        .build(dir);
    // Without a log a session is as good as with one.
    let Ok(file) = file else { return };
    let filter = EnvFilter::try_from_env("NOFM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::sync::Mutex::new(file))
        .try_init();
}
