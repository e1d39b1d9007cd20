/** Where Debian puts the library that gives a program another clock, libfaketime; x86-64 and arm64. */
export const FAKE_CLOCK_PATHS: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];
