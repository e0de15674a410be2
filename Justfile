# Recipes are one line each; longer logic lives in tests/*.sh. Everything works without just as well.

# What CI wants before anything else
check: fmt-check lint test

# Debug build
build *args:
    cargo build {{args}}

# All tests; those that need ipmi_sim, ipmitool or FreeIPMI say so and skip where these are missing (`just setup`)
test *args:
    cargo test {{args}}

# Warnings are errors
lint:
    cargo clippy --all-targets -- -D warnings

fmt:
    cargo fmt

fmt-check:
    cargo fmt --check

# Licences, sources and bans (needs cargo-deny)
deny:
    cargo deny check

# Three simulated BMCs on loopback, probed and driven
demo:
    tests/demo.sh

# What the Redfish driver does on thirteen recorded servers: operation x tree (needs ../shared/corpora)
matrix:
    cargo test --test it redfish::matrix::table -- --ignored --nocapture

# N simulated BMCs that stay until Ctrl-C
sim *args:
    cargo run --release -- sim {{args}}

# The static binary: target/dist/halbox; prints its size
dist:
    tests/dist.sh

# The Debian package of the static binary (needs dpkg-deb): target/dist/halbox_VERSION_ARCH.deb
deb: dist
    packaging/deb/build.sh

# Size of the static binary, largest crates first (needs cargo-bloat)
size:
    cargo bloat --release --crates -n 30

# Fuzz every target (or one) for SECS seconds each
fuzz secs="600" target="":
    tests/fuzz.sh {{secs}} {{target}}

# Side by side with ipmitool and FreeIPMI, where installed
bench *args:
    tests/bench.sh {{args}}

# kill -9 of the daemon, KILLS times, with ROWS rows: what is lost, done twice, how long a restart takes
torture kills="1000" rows="10000":
    tests/torture.sh {{kills}} {{rows}}

# The daemon with 10,000 simulated BMCs: times, memory, what was left behind (count and runs as arguments)
bench-serve *args:
    cargo build --release && python3 tests/bench_serve.py target/release/halbox {{args}}

# Live serial consoles in one process on the simulator: memory each, throughput, latency, 1 writer and 100 readers
bench-console sessions="1000":
    cargo bench --bench console -- {{sessions}}

# Size of the static binary, peak memory and time of inband-init in the test VM (needs `just dist`)
bench-inband *args:
    tests/bench-inband.sh {{args}}

# 64 KB there and back over SOL of ipmi_sim while 5 % of all datagrams are lost (five minutes)
proof-console:
    cargo test --test it console_ipmi_sim -- --ignored --nocapture

# Regenerate the code of the API from proto/ (needs the registry once)
gen:
    cd proto/gen && cargo run -q

# Regenerate man/ from the command line definition
man:
    tests/man.sh

# Install what the tests can use (Debian; as root)
setup:
    tests/setup.sh

# Every operation against the BMCs that a file lists (changes only where it allows them); JSON on stdout, JUnit in a file
rack file junit="rack.xml":
    cargo run -q --release -- probe --rack {{file}} --junit {{junit}} -o json

# What CI does
ci:
    .ci/run
