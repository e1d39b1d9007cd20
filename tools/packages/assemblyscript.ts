export { default } from "npm:assemblyscript@^0.28.20/asc";
