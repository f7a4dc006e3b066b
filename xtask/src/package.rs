//! The package: built and installed by CMake, moved, and used from outside the
//! tree in every way that its users have.

use crate::steps::{Steps, Watch};
use crate::tools::{self, root, target, with_build_tools};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many steps `all` takes.
pub const STEPS: usize = 7;

/// What a user writes first. It fails if header and library are not of one version.
const PROGRAM: &str = r#"#include <rota.h>
#include <stdio.h>

int main(void) {
    printf("rota %s\n", rota_version_text());
    return rota_version() != ROTA_VERSION;
}
"#;

/// And in C++20.
const CPP_PROGRAM: &str = r#"#include <rota.hpp>
#include <cstdio>

int main() {
    rota::loop loop;
    return loop.run_until([]() -> rota::task<int> {
        co_await rota::sleep(std::chrono::milliseconds(1));
        co_return std::puts("a millisecond later") < 0;
    });
}
"#;

const FIND_PACKAGE: &str = "cmake_minimum_required(VERSION 3.20)
project(outside LANGUAGES C CXX)
find_package(rota 0.1 REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE rota::rota)
add_executable(static main.c)
target_link_libraries(static PRIVATE rota::rota_static)
add_executable(cpp main.cpp)
target_compile_features(cpp PRIVATE cxx_std_20)
target_link_libraries(cpp PRIVATE rota::rota)
";

/// Another library of Rust's, with its own copy of std, in the same program.
const OTHER_RUST: &str = r#"#[no_mangle]
pub extern "C" fn other_answer() -> u32 {
    std::thread::spawn(|| "41".parse::<u32>().unwrap_or(0) + 1).join().unwrap_or(0)
}
"#;

const TWO_RUSTS: &str = r#"#include <rota.h>

uint32_t other_answer(void);

int main(void) {
    return rota_version() != ROTA_VERSION || other_answer() != 42;
}
"#;

type Action = fn(&mut Watch) -> Result<(), String>;

fn folder() -> PathBuf {
    target().join("package")
}

fn installed() -> PathBuf {
    folder().join("moved")
}

/// All that is tested of the package.
pub fn all(steps: &mut Steps) {
    let built = steps.step("package: cmake configures, builds and installs", build);
    let rest: [(&str, Action); STEPS - 1] = [
        ("package: the examples that end by themselves", test_examples),
        ("package: a program outside the tree, with find_package", find_package),
        ("package: a program outside the tree, with pkg-config", pkg_config),
        ("package: the examples alone, against the installed package", examples_alone),
        ("package: a program beside the tree, with add_subdirectory", add_subdirectory),
        ("package: the archive shows rota_ only and links beside another Rust library", two_rusts),
    ];
    for (title, action) in rest {
        match built {
            true => _ = steps.step(title, action),
            false => steps.give_up(title, "the package was not built"),
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn write_programs(folder: &Path) -> Result<(), String> {
    write(folder, "main.c", PROGRAM)?;
    write(folder, "main.cpp", CPP_PROGRAM)
}

fn fresh(name: &str) -> Result<PathBuf, String> {
    let folder = folder().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Configures `source` into `build` and builds it.
fn cmake(watch: &mut Watch, source: &Path, build: &Path, settings: &[String]) -> Result<(), String> {
    let mut configure = with_build_tools("cmake");
    configure.arg("-S").arg(source).arg("-B").arg(build).args(["-G", "Ninja", "--log-level=NOTICE"]);
    watch.run(configure.args(settings))?;
    watch.run(with_build_tools("cmake").arg("--build").arg(build))
}

/// Shares cargo's target directory, so that what was built is not built again.
fn share_target() -> String {
    format!("-DROTA_CARGO_TARGET_DIR={}", target().display())
}

/// Builds the library and the examples (release); the folder of the build.
pub fn build_tree(watch: &mut Watch) -> Result<PathBuf, String> {
    let build = folder().join("build");
    let prefix = format!("-DCMAKE_INSTALL_PREFIX={}", folder().join("installed").display());
    cmake(watch, &root(), &build, &["-DCMAKE_BUILD_TYPE=Release".into(), prefix, share_target()])?;
    Ok(build)
}

/// Builds the tree, installs it and moves what was installed.
fn build(watch: &mut Watch) -> Result<(), String> {
    let (prefix, moved) = (fresh("installed")?, fresh("moved")?);
    let build = build_tree(watch)?;
    watch.run(with_build_tools("cmake").arg("--install").arg(&build))?;
    // Whatever names the place of installation breaks here.
    fs::remove_dir(&moved).and_then(|()| fs::rename(&prefix, &moved)).map_err(|error| format!("moving it: {error}"))?;
    let headers = ["include/rota.h", "include/rota_step.h", "include/rota.hpp", "include/rota/task.hpp"];
    for file in headers.iter().chain(&["lib/librota.so", "lib/librota.a", "lib/pkgconfig/rota.pc"]) {
        if !moved.join(file).is_file() {
            return Err(format!("{file} was not installed"));
        }
    }
    Ok(())
}

fn test_examples(watch: &mut Watch) -> Result<(), String> {
    let mut ctest = with_build_tools("ctest");
    watch.run(ctest.arg("--test-dir").arg(folder().join("build")).args(["--output-on-failure", "--no-tests=error"]))
}

fn run(watch: &mut Watch, program: &Path) -> Result<(), String> {
    watch.run(Command::new(program).env("LD_LIBRARY_PATH", installed().join("lib")))
}

fn find_package(watch: &mut Watch) -> Result<(), String> {
    let source = fresh("find_package")?;
    write_programs(&source)?;
    write(&source, "CMakeLists.txt", FIND_PACKAGE)?;
    let build = source.join("build");
    cmake(watch, &source, &build, &[format!("-DCMAKE_PREFIX_PATH={}", installed().display())])?;
    watch.run(&mut Command::new(build.join("shared")))?;
    watch.run(&mut Command::new(build.join("static")))?;
    watch.run(&mut Command::new(build.join("cpp")))
}

fn examples_alone(watch: &mut Watch) -> Result<(), String> {
    let build = fresh("examples")?;
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed().display());
    cmake(watch, &root().join("c_examples"), &build, &[prefix])
}

fn pkg_config(watch: &mut Watch) -> Result<(), String> {
    if !tools::works("pkg-config") {
        watch.skip("the pkg-config test: pkg-config is not installed".to_string());
        return Ok(());
    }
    let source = fresh("pkg-config")?;
    write(&source, "main.c", PROGRAM)?;
    let ask = |arguments: &[&str]| -> Result<Vec<String>, String> {
        let path = installed().join("lib").join("pkgconfig");
        let output = Command::new("pkg-config")
            .args(arguments)
            .arg("rota")
            .env("PKG_CONFIG_PATH", path)
            .output()
            .map_err(|error| format!("pkg-config: {error}"))?;
        if !output.status.success() {
            return Err(format!("pkg-config: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_string).collect())
    };
    let version = ask(&["--modversion"])?;
    if version != [crate_version()?] {
        return Err(format!("rota.pc has version {version:?}"));
    }
    let mut statically = ask(&["--cflags", "--libs", "--static"])?;
    statically.iter_mut().filter(|word| *word == "-lrota").for_each(|word| *word = "-l:librota.a".to_string());
    for (name, words) in [("shared", ask(&["--cflags", "--libs"])?), ("static", statically)] {
        let program = source.join(name);
        watch.run(Command::new("cc").arg(source.join("main.c")).arg("-o").arg(&program).args(words))?;
        run(watch, &program)?;
    }
    Ok(())
}

fn crate_version() -> Result<String, String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).map_err(|error| format!("Cargo.toml: {error}"))?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    line.map(|text| text.trim_matches('"').to_string()).ok_or_else(|| "Cargo.toml has no version".to_string())
}

fn add_subdirectory(watch: &mut Watch) -> Result<(), String> {
    let source = fresh("add_subdirectory")?;
    write_programs(&source)?;
    let text = FIND_PACKAGE
        .replace("find_package(rota 0.1 REQUIRED)", &format!("add_subdirectory(\"{}\" rota)", root().display()));
    write(&source, "CMakeLists.txt", &text)?;
    let build = source.join("build");
    cmake(watch, &source, &build, &["-DCMAKE_BUILD_TYPE=Release".into(), share_target()])?;
    if build.join("rota").join("c_examples").exists() {
        return Err("a subproject built the examples, which only the top level wants".to_string());
    }
    watch.run(&mut Command::new(build.join("shared")))?;
    watch.run(&mut Command::new(build.join("static")))?;
    watch.run(&mut Command::new(build.join("cpp")))
}

fn two_rusts(watch: &mut Watch) -> Result<(), String> {
    let folder = fresh("two-rusts")?;
    let archive = installed().join("lib").join("librota.a");
    let output = Command::new("nm")
        .args(["--extern-only", "--defined-only", "--format=posix"])
        .arg(&archive)
        .output()
        .map_err(|error| format!("nm: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names: Vec<&str> =
        text.lines().filter(|line| !line.ends_with(':')).filter_map(|line| line.split(' ').next()).collect();
    let foreign: Vec<&&str> = names.iter().filter(|name| !name.starts_with("rota_") && !name.is_empty()).collect();
    if names.is_empty() || !foreign.is_empty() {
        return Err(format!("of {} global symbols in librota.a these are not ours: {foreign:?}", names.len()));
    }
    write(&folder, "other.rs", OTHER_RUST)?;
    write(&folder, "main.c", TWO_RUSTS)?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    watch.run(Command::new(rustc).current_dir(&folder).args(["--crate-type", "staticlib", "-O", "other.rs"]))?;
    let include = format!("-I{}", installed().join("include").display());
    let mut link = Command::new("cc");
    link.current_dir(&folder).args([include.as_str(), "main.c", "libother.a"]).arg(&archive);
    watch.run(link.args(["-lpthread", "-lm", "-ldl", "-o", "two"]))?;
    watch.run(&mut Command::new(folder.join("two")))
}
