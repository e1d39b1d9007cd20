export * from "npm:@tanstack/virtual-core@^3.19.11";
