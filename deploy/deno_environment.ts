/** Names the authorities that Deno trusts, for what it downloads. */
const TRUST = "DENO_TLS_CA_STORE";

/**
 * The environment for a Deno that downloads something: where nothing else is set, it trusts what the
 * system trusts too, as where a proxy looks into TLS. Deno 2.6 would not, whatever SSL_CERT_FILE says.
 */
export function denoEnvironment(): Record<string, string> {
  return { [TRUST]: "mozilla,system", ...Deno.env.toObject() };
}
