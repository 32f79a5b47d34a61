//! The `twinsite` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return twinsite::no_runtime(&error),
    };
    let code = runtime.block_on(Box::pin(twinsite::run(std::env::args_os())));
    // Do not wait for threads that read from a terminal.
    runtime.shutdown_background();
    code
}
