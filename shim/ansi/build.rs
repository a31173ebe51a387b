//! Links the driver so that its calls to its own symbols stay in the library, and so that it is never unloaded
//! (docs/adr/0003-linking.md).

fn main() {
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
