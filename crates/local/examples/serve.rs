//! Serves an embedded cloud with its data plane until Ctrl-C, for any S3 tool and for DNS and HTTP clients: on port 9000, or
//! on the port in the first argument.
//!
//! `aws --endpoint-url http://127.0.0.1:9000 s3 mb s3://site` with the keys `embedded` and `embedded-secret`.

use std::io::Write;

use tokio_util::sync::CancellationToken;
use twinsite_local::dataplane::DataPlane;
use twinsite_local::{Cloud, Ports, listen, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cloud = Cloud::memory();
    let port = std::env::args().nth(1).map_or(Ok(9000), |port| port.parse())?;
    let api = listen(port).await?;
    let data_plane = DataPlane::open(&cloud, None, Ports::ANY, 1).await?;
    let Ports { dns, http, https } = data_plane.endpoints().ports;
    let mut output = std::io::stdout();
    writeln!(output, "API http://{}, DNS port {dns}, HTTP port {http}, HTTPS port {https}", api.local_addr()?)?;
    let stop = CancellationToken::new();
    let interrupted = async {
        drop(tokio::signal::ctrl_c().await);
        stop.cancel();
    };
    tokio::join!(serve(api, cloud.clone(), stop.cancelled()), data_plane.run(stop.clone()), interrupted);
    Ok(())
}
