//! `twinsite local` in a process of its own, and commands that use it and are stopped at a named request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Project;

/// Sends a signal.
pub(crate) fn signal(child: &Child, signal: &str) {
    std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
}

/// A served embedded cloud.
pub(crate) struct Server(Child, Value);

impl Server {
    pub(crate) fn start(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(&[&["local", "--json"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let serving = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not served: {line}"));
        // Events of the server are of no interest, but a full pipe would block it.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Self(child, serving)
    }

    /// The endpoint of all APIs.
    pub(crate) fn api(&self) -> &str {
        self.1["api"].as_str().unwrap()
    }

    /// What the server has said of itself: ports, addresses, the file of the certificate authority.
    pub(crate) fn serving(&self) -> &Value {
        &self.1
    }

    /// The status of a response to a plain HTTP request at an address of the data plane; `None` if there is none.
    pub(crate) fn visit(&self, address: &str, host: &str) -> Option<u16> {
        let port = u16::try_from(self.1["http"].as_u64().unwrap()).unwrap();
        let mut stream = TcpStream::connect((address, port)).ok()?;
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
    }

    /// Calls a control endpoint.
    fn control(&self, method: &str, endpoint: &str, body: &Value) -> Value {
        let address = self.api().trim_start_matches("http://").to_owned();
        let (mut stream, body) = (TcpStream::connect(&address).unwrap(), body.to_string());
        let head = format!("{method} /_twinsite/{endpoint} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// The outages in force.
    pub(crate) fn current_faults(&self) -> Value {
        self.control("GET", "faults", &Value::Null)
    }

    /// Sets the outages in force.
    pub(crate) fn faults(&self, faults: &Value) {
        self.control("PUT", "faults", faults);
    }

    /// Holds a request, counted from now, until [`Self::release`].
    pub(crate) fn pause(&self, operation: &str, at: u64) {
        self.control("PUT", "pause", &json!({"operation": operation, "at": at}));
    }

    /// Waits until the request is held.
    pub(crate) fn until_held(&self, process: &mut Process) {
        for _ in 0..6000 {
            if self.control("GET", "pause", &Value::Null)["reached"] == json!(true) {
                return;
            }
            if process.child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let status = self.control("GET", "pause", &Value::Null);
        signal(&process.child, "-KILL");
        panic!("never held: {status}, said: {}", process.rest());
    }

    pub(crate) fn release(&self) {
        self.control("DELETE", "pause", &Value::Null);
    }

    /// The number of requests by operation since the last call.
    pub(crate) fn requests(&self) -> Value {
        self.control("DELETE", "requests", &Value::Null)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(&self.0, "-INT");
        self.0.wait().unwrap();
    }
}

/// A running command.
pub(crate) struct Process {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

/// How a command ended.
pub(crate) struct Ended {
    /// `None` if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    pub(crate) fn start(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(args);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr, said: String::new() }
    }

    /// Waits for a line on stderr.
    pub(crate) fn until_it_says(&mut self, word: &str) {
        let mut line = String::new();
        while !line.contains(word) {
            line.clear();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "no `{word}` in {}", self.said);
            self.said.push_str(&line);
        }
    }

    fn rest(&mut self) -> String {
        self.stderr.read_to_string(&mut self.said).unwrap();
        self.said.clone()
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        let err = self.rest();
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        Ended { code: self.child.wait().unwrap().code(), out, err }
    }
}
