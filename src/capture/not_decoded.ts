import { UserError } from "../user_error.ts";

/** That an interface has a link type which is not decoded. */
export function notDecoded(name: string, linkType: string): UserError {
  return new UserError(
    `${name}: its link type ${linkType} is not one that flosensor decodes: ` +
      `name another interface; "flosensor interfaces" lists them`,
  );
}
