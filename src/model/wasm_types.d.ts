/*
 * The number types of AssemblyScript, for modules of constants that both TypeScript and the programs in
 * WebAssembly import. To TypeScript they are numbers.
 */
declare type u8 = number;
declare type u16 = number;
declare type u32 = number;
declare type i32 = number;
declare type u64 = number;
declare type i64 = number;
declare type f64 = number;
declare type usize = number;
