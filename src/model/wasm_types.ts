/*
 * The number types of AssemblyScript, for modules of constants that both TypeScript and the programs in
 * WebAssembly import: to TypeScript they are numbers, and AssemblyScript does not see this module, as it
 * has the types built in.
 */
export type u8 = number;
export type u16 = number;
export type u32 = number;
export type i32 = number;
export type u64 = number;
export type i64 = number;
export type f64 = number;
export type usize = number;
