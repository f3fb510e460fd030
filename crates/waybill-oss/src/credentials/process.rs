//! Keys that a program prints.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::answer;
use super::failure::Failure;
use super::web::LIMIT;
use crate::credential::Credential;

pub(super) const ORIGIN: &str = "the credential program";
/// How long a program may take [go2 `process_credentials_provider.go`].
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs the program, without a shell, and reads the keys off its standard output. What it writes to standard error is
/// thrown away, since it may hold secrets.
pub(super) async fn keys(program: &str, args: &[String]) -> Result<Credential, Failure> {
    match timeout(PATIENCE, output(program, args)).await {
        Ok(output) => answer::keys(ORIGIN, &output?),
        // The program is killed when its future is dropped.
        Err(_) => Err(Failure::passing(ORIGIN, format!("it was stopped after {} s", PATIENCE.as_secs()))),
    }
}

async fn output(program: &str, args: &[String]) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    #[cfg(windows)]
    command.creation_flags(CREATE_NO_WINDOW);
    let broken = |error: std::io::Error| Failure::passing(ORIGIN, format!("its output cannot be read: {error}"));
    let mut child = command
        .spawn()
        .map_err(|error| Failure::Setup(format!("The credential program {program} cannot be started: {error}.")))?;
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LIMIT as u64 + 1).read_to_end(&mut output).await.map_err(broken)?;
    }
    if output.len() > LIMIT {
        return Err(Failure::lasting(ORIGIN, format!("it printed more than {} KB, so it is no keys", LIMIT / 1024)));
    }
    let status = child.wait().await.map_err(broken)?;
    if !status.success() {
        return Err(Failure::lasting(ORIGIN, format!("it failed ({status}); run it in a terminal to see why")));
    }
    Ok(output)
}

/// No console window flashes up [Windows, Process Creation Flags].
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Splits a command line at blanks. Quotes, single or double, keep blanks together; nothing else has a meaning, so that
/// a Windows path stays what it is.
pub(super) fn split(line: &str) -> Result<Vec<String>, Failure> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if matches!(c, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(Failure::Setup("The command line of the credential program has an unclosed quote.".to_owned()));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_split_as_people_write_it() {
        for (line, words) in [
            ("helper --role dev", &["helper", "--role", "dev"][..]),
            ("  \"C:\\Program Files\\k.exe\"\t-p 'a b' ", &["C:\\Program Files\\k.exe", "-p", "a b"]),
            ("helper --name=\"two words\" ''", &["helper", "--name=two words", ""]),
            ("k; rm $HOME", &["k;", "rm", "$HOME"]),
            (" ", &[]),
        ] {
            assert_eq!(split(line).expect(line), words, "{line}");
        }
        let words = split("helper \"s3cr3t").expect_err("unclosed").to_string();
        assert!(!words.contains("s3cr3t"), "{words}");
    }
}
