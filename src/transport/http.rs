//! Facts over HTTP, asked from the console.

use std::io::Read as _;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::TlsConfig;

use super::LinkError;
use super::words::shown;

const LIMIT: Duration = Duration::from_secs(10);
const BODY: usize = 1024 * 1024;

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    /// At most 1 MiB.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

/// Reads `url`, within 10 s and over at most 3 redirects, never through a proxy. Certificates are not verified,
/// since consoles of products sign their own: what is read here is a status, and nothing secret is sent.
pub async fn http_get(url: &str) -> Result<Page, LinkError> {
    let (url, server) = (url.to_owned(), host(url));
    let doing = "asking over HTTP";
    let asked = tokio::task::spawn_blocking(move || get(&url)).await;
    match asked {
        Ok(Ok(page)) => Ok(page),
        Ok(Err(ureq::Error::Timeout(_))) => Err(LinkError::TimedOut { server, doing, after: LIMIT }),
        Ok(Err(ureq::Error::BadUri(why))) => Err(LinkError::Invalid { server, doing, why }),
        Ok(Err(ureq::Error::Http(e))) => Err(LinkError::Invalid { server, doing, why: e.to_string() }),
        Ok(Err(ureq::Error::Protocol(e))) => {
            Err(LinkError::Protocol { server, doing, said: shown(e.to_string().as_bytes(), 200) })
        }
        Ok(Err(e)) => {
            Err(LinkError::Unreachable { server, doing, why: shown(e.to_string().as_bytes(), 300) })
        }
        Err(e) => Err(LinkError::Unreachable { server, doing, why: e.to_string() }),
    }
}

/// Host and port of a URL, without what may be secret in it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    shown(host.rsplit('@').next().unwrap_or_default().as_bytes(), 200)
}

fn get(url: &str) -> Result<Page, ureq::Error> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(LIMIT))
        .max_redirects(3)
        .http_status_as_error(false)
        .proxy(None)
        .tls_config(TlsConfig::builder().disable_verification(true).build())
        .build()
        .into();
    let mut response = agent.get(url).call()?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    response
        .body_mut()
        .as_reader()
        .take(BODY as u64 + 1)
        .read_to_end(&mut body)
        .map_err(ureq::Error::from)?;
    let truncated = body.len() > BODY;
    body.truncate(BODY);
    Ok(Page { status, body, truncated })
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn an_error_names_the_host_and_no_secret() {
        assert_eq!(host("https://user:pw@ums-1:8443/a/b?token=x"), "ums-1:8443");
        assert_eq!(host("no url"), "no url");
    }
}
