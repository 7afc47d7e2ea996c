//! Opens the report page in a browser, in the size of a phone and of a desk, light and dark.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{built, run, target_folder};

/// What the page is looked at through: name, width and height in pixels.
const VIEWPORTS: [(&str, u32, u32); 2] = [("phone", 360, 800), ("desk", 1280, 900)];
/// Chromium's numbers for them.
const SCHEMES: [(&str, u32); 2] = [("dark", 0), ("light", 1)];
/// Pixels; a longer picture is more than Chromium takes.
const LONGEST: u64 = 16_000;
const PAGE: &str = "index.html";
const FRAME: &str = "frame.html";
/// A window cannot be as narrow as a phone, a frame can. It measures the page as it comes, and with
/// everything unfolded: a page that is wider than its frame would scroll sideways.
const MEASURE: &str = "
const pre = document.querySelector('pre');
document.querySelector('iframe').onload = ({ target: frame }) => {
    const page = frame.contentDocument.documentElement;
    const width = () => page.scrollWidth - page.clientWidth;
    const result = { folded: width(), height: page.scrollHeight };
    for (const details of page.querySelectorAll('details')) details.open = true;
    result.unfolded = width();
    for (const details of page.querySelectorAll('details')) details.open = false;
    const pictures = [...page.querySelectorAll('img')];
    result.pictures = pictures.length;
    result.broken = pictures.filter(picture => picture.naturalWidth === 0).length;
    result.loaded = frame.contentWindow.performance.getEntriesByType('resource').length;
    const ground = frame.contentWindow.getComputedStyle(page.querySelector('body')).backgroundColor;
    result.dark = ground.match(/\\d+/g).slice(0, 3).every(part => part < 128);
    pre.textContent = JSON.stringify(result);
};";

/// Looks at a page, or at that of a smoke reproduction, and keeps pictures of it in `target/report`.
pub(crate) fn test(page: Option<&Path>, install: bool) -> Result<()> {
    if install {
        let script = "command -v chromium >/dev/null || { apt-get update -qq; \
                      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
                      --no-install-recommends chromium fonts-dejavu-core >/dev/null; }";
        run(Command::new("bash").args(["-euc", script]))?;
    }
    ensure!(
        Command::new("chromium").arg("--version").output().is_ok(),
        "no chromium here; --install installs Debian's (as root)"
    );
    let folder = tempfile::tempdir()?;
    let browser = Browser { folder: folder.path() };
    let page =
        page.map_or_else(|| smoke(&folder.path().join("smoke")), |page| Ok(page.to_owned()))?;
    fs::copy(&page, folder.path().join(PAGE)).with_context(|| page.display().to_string())?;
    let pictures = target_folder()?.join("report");
    fs::create_dir_all(&pictures)?;
    for (viewport, width, height) in VIEWPORTS {
        for (scheme, number) in SCHEMES {
            let found = browser.measure(width, height, number)?;
            let name = format!("{viewport}, {scheme}");
            let is = |key: &str| found[key].as_i64().with_context(|| format!("{name}: no {key}"));
            for key in ["folded", "unfolded"] {
                let over = is(key)?;
                ensure!(over == 0, "{name}, {key}: the page is {over} px wider than {width} px");
            }
            ensure!(is("pictures")? > 0, "{name}: no pictures");
            ensure!(is("broken")? == 0, "{name}: a picture cannot be shown: {found}");
            ensure!(is("loaded")? == 0, "{name}: the page loads something: {found}");
            ensure!(found["dark"] == (scheme == "dark"), "{name}: wrong colours: {found}");
            let picture = pictures.join(format!("{viewport}-{scheme}.png"));
            let whole = (is("height")? as u64).min(LONGEST);
            browser.picture(width, whole, number, &picture)?;
            println!("{name}: fits, loads nothing; {}", picture.display());
        }
    }
    Ok(())
}

/// The page of a smoke reproduction.
fn smoke(out: &Path) -> Result<PathBuf> {
    let mut command = Command::new(built("tau-cli", "tau")?);
    command.args(["reproduce-figures", "--preset", "smoke", "--device", "cpu", "--out"]).arg(out);
    run(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    Ok(out.join(PAGE))
}

/// Chromium without a window, with the page in a folder.
struct Browser<'a> {
    folder: &'a Path,
}

impl Browser<'_> {
    fn measure(&self, width: u32, height: u32, scheme: u32) -> Result<serde_json::Value> {
        let shown = self.show(width, height.into(), scheme, MEASURE, "--dump-dom")?;
        let result =
            shown.split_once("<pre hidden=\"\">").and_then(|(_, rest)| rest.split_once("</pre>"));
        let (result, _) = result.with_context(|| format!("chromium shows no result: {shown}"))?;
        serde_json::from_str(result).with_context(|| format!("no measurement: {result:?}"))
    }

    fn picture(&self, width: u32, height: u64, scheme: u32, path: &Path) -> Result<()> {
        let option = format!("--screenshot={}", path.display());
        self.show(width, height, scheme, "", &option)?;
        ensure!(path.exists(), "chromium made no {}", path.display());
        Ok(())
    }

    /// What Chromium prints about the page in a frame of that size. No name leads anywhere, so nothing
    /// could be fetched. As root it starts only without its sandbox; the page is our own.
    fn show(
        &self,
        width: u32,
        height: u64,
        scheme: u32,
        script: &str,
        option: &str,
    ) -> Result<String> {
        let frame = self.folder.join(FRAME);
        let text = format!(
            "<!doctype html><style>html, body {{ margin: 0; overflow: hidden }} \
             iframe {{ display: block; border: 0; width: {width}px; height: {height}px }}</style>\
             <pre hidden></pre><iframe src=\"{PAGE}\"></iframe><script>{script}</script>"
        );
        fs::write(&frame, text)?;
        let mut command = Command::new("chromium");
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-extensions"])
            .args(["--allow-file-access-from-files", "--host-resolver-rules=MAP * ~NOTFOUND"])
            .arg(format!("--user-data-dir={}", self.folder.join("profile").display()))
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
            .arg(format!("--window-size={width},{height}"))
            .args(["--virtual-time-budget=10000", option])
            .arg(format!("file://{}", frame.display()));
        let output = command.output().context("cannot run chromium")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "chromium failed: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }
}
