//! Compiles the kernels with the C++ compiler of the system.

fn main() {
    let kernels = "../../crates/tau-rnn/kernels";
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(2)
        // A product and a sum are fused where the source says so, and only there.
        .flag("-ffp-contract=off")
        .flag("-Wno-unknown-pragmas")
        // Some systems check every jump, and take one from fiber to fiber for an error.
        .flag("-U_FORTIFY_SOURCE")
        .include("shim")
        .include(kernels)
        .files(["shim/shim.cpp", "shim/f32.cpp", "shim/f64.cpp"])
        .compile("tau_shim");
    println!("cargo:rerun-if-changed=shim");
    println!("cargo:rerun-if-changed={kernels}");
}
