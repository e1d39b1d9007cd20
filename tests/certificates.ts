import assert from "node:assert/strict";

/** A certificate, and who vouches for it. */
export interface CertificateOptions {
  /** Where its key (`NAME.key`) and itself (`NAME.pem`) are put. */
  readonly folder: string;
  readonly name: string;
  /** Names and addresses that it is for, as openssl has them. */
  readonly names?: string;
  /** The authority's name. */
  readonly authority?: string;
  /** How long it is valid, in days from now; a negative number: until so many days ago. */
  readonly days?: number;
}

const REQUEST = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const DAY = 86_400_000;

/** An authority (`ca.pem`), and a server and a client that it vouches for. */
export async function makeCertificates(folder: string): Promise<void> {
  await makeAuthority(folder, "ca");
  for (const name of ["server", "client"]) await makeCertificate({ folder, name });
}

/** An authority. */
export async function makeAuthority(folder: string, name: string): Promise<void> {
  const authority = [...REQUEST, "-x509", "-days", "2", "-subj", `/CN=flosensor test ${name}`];
  await openssl(folder, ...authority, "-keyout", `${name}.key`, "-out", `${name}.pem`);
}

/** A certificate that an authority vouches for, by default for this host and a day or two. */
export async function makeCertificate(
  { folder, name, names = "DNS:localhost,IP:127.0.0.1", authority = "ca", days = 2 }:
    CertificateOptions,
): Promise<void> {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.csr`];
  await openssl(folder, ...REQUEST, "-subj", `/CN=${name}`, ...files);
  // As openssl-ca(1) wants it: openssl-x509(1) makes none that has expired.
  await Deno.mkdir(`${folder}/${name}.made`);
  await Deno.writeTextFile(`${folder}/${name}.index`, "");
  await Deno.writeTextFile(
    `${folder}/${name}.cnf`,
    `[ca]
default_ca = it
[it]
database = ${name}.index
new_certs_dir = ${name}.made
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
subjectAltName = ${names}
`,
  );
  const until = Date.now() + days * DAY;
  await openssl(
    folder,
    ...["ca", "-batch", "-notext", "-config", `${name}.cnf`, "-in", `${name}.csr`],
    ...["-cert", `${authority}.pem`, "-keyfile", `${authority}.key`, "-out", `${name}.pem`],
    ...["-startdate", timeOf(Math.min(Date.now(), until) - DAY), "-enddate", timeOf(until)],
  );
}

/** As openssl-ca(1) takes it. */
function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, "");
}

async function openssl(folder: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
