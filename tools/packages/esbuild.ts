export * from "npm:esbuild@^0.25.12";
