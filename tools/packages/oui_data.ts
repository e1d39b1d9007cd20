export { default } from "npm:oui-data@^2.1.9" with { type: "json" };
