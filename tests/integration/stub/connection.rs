//! One connection of the stub: reads one request and does what its act says.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::{Act, Answer, Plan, Request, Shared};

pub(super) async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let scripted = match &shared.plan {
        Plan::Script(acts) => {
            let next = acts.lock().expect("no test panics in here").pop_front();
            Some(next.unwrap_or_else(|| Act::text(418, "the script has ended")))
        }
        Plan::Handler(_) => None,
    };
    if let Some(Act::ResetBeforeReading) = scripted {
        return stream.set_zero_linger();
    }
    let Some(request) = read(&mut stream).await? else {
        return Ok(());
    };
    shared
        .requests
        .lock()
        .expect("no test panics in here")
        .push(request.clone());
    shared.arrived.send_modify(|n| *n += 1);
    let act = match (&shared.plan, scripted) {
        (Plan::Handler(handler), _) => handler(&request),
        (_, Some(act)) => act,
        (Plan::Script(_), None) => unreachable!("a script decides before reading"),
    };
    play(&mut stream, act).await
}

async fn play(stream: &mut TcpStream, act: Act) -> io::Result<()> {
    match act {
        Act::ResetBeforeReading => panic!("a request that was read can't be reset before reading"),
        Act::ResetAfterReading => stream.set_zero_linger(),
        Act::Silence => {
            // Until the client goes away.
            stream.read(&mut [0; 1]).await.map(|_| ())
        }
        Act::Reply(answer) => {
            sleep(answer.delay).await;
            stream
                .write_all(&head(&answer, &format!("content-length: {}", answer.body.len())))
                .await?;
            stream.write_all(&answer.body).await?;
            finish(stream).await
        }
        Act::Cut(answer, bytes) => {
            sleep(answer.delay).await;
            stream
                .write_all(&head(&answer, &format!("content-length: {}", answer.body.len())))
                .await?;
            stream.write_all(&answer.body[..bytes]).await?;
            finish(stream).await
        }
        Act::Endless(answer) => {
            stream
                .write_all(&head(&answer, "transfer-encoding: chunked"))
                .await?;
            let body = if answer.body.is_empty() {
                vec![b' '; 64 * 1024]
            } else {
                answer.body
            };
            let mut chunk = format!("{:x}\r\n", body.len()).into_bytes();
            chunk.extend_from_slice(&body);
            chunk.extend_from_slice(b"\r\n");
            loop {
                stream.write_all(&chunk).await?;
            }
        }
        Act::Trickle(answer, every) => {
            stream
                .write_all(&head(&answer, &format!("content-length: {}", answer.body.len())))
                .await?;
            for byte in &answer.body {
                sleep(every).await;
                stream.write_all(&[*byte]).await?;
            }
            finish(stream).await
        }
        Act::Forever(first, again, every) => {
            stream.write_all(&first).await?;
            loop {
                sleep(every).await;
                stream.write_all(&again).await?;
            }
        }
        Act::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            finish(stream).await
        }
    }
}

/// Closes in order: what was sent arrives, whatever the client is still sending.
async fn finish(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    let drain = async {
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(1), drain)
        .await
        .unwrap_or(Ok(()))
}

fn head(answer: &Answer, length: &str) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} Stub\r\n{length}\r\nconnection: close\r\n",
        answer.status
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// `None`: the client went away before it had sent a whole request.
async fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let mut lines = head.split("\r\n");
    let mut first = lines.next().expect("a request line").split(' ');
    let (method, target) = (first.next().expect("a method"), first.next().expect("a target"));
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    let url = reqwest::Url::parse(&format!("http://stub{target}")).expect("a target");
    Ok(Some(Request {
        method: method.to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body,
        at: Instant::now(),
    }))
}
