export * from "npm:@cyclonedx/cyclonedx-library@^10.3.0";
