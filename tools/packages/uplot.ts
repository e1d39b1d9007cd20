export { default } from "npm:uplot@^1.6.32";
