//! How often a request is repeated.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Project;

/// Answers every request with an error that passes by itself, and counts them.
fn unavailable() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, count) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let requests = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut buffer) = (stream.unwrap(), [0; 8192]);
            if stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                requests.fetch_add(1, Ordering::Relaxed);
            }
            drop(stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        }
    });
    (url, count)
}

#[test]
fn requests_are_attempted_as_often_as_the_environment_or_the_profile_says() {
    let file = "[profile patient]\nmax_attempts = 4\n";
    for (variables, attempts) in [
        (&[][..], 3),
        (&[("AWS_MAX_ATTEMPTS", "1")], 1),
        (&[("AWS_MAX_ATTEMPTS", "2"), ("AWS_RETRY_MODE", "adaptive")], 2),
        (&[("AWS_PROFILE", "patient")], 4),
        (&[("AWS_MAX_ATTEMPTS", "0")], 3),
    ] {
        let (project, (url, count)) = (Project::new(), unavailable());
        project.write(".aws/config", file);
        let mut command = project.command(&["releases", "--endpoint-url", &url]);
        command
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", "us-east-1");
        let ran = crate::Ran(command.envs(variables.iter().copied()).output().unwrap());
        assert_eq!(ran.code(), 1, "{}", ran.err());
        // STS is asked who the caller is in the primary's region, and as it is unavailable there, in the backup's.
        assert_eq!(count.load(Ordering::Relaxed), 2 * attempts, "{variables:?}: {}", ran.err());
    }
}
