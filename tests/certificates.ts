import assert from "node:assert/strict";

/** An authority (`ca.pem`), and a server and a client that it vouches for. */
export async function makeCertificates(folder: string): Promise<void> {
  const openssl = async (...args: string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  const request = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = [...request, "-x509", "-days", "2", "-subj", "/CN=flosensor test authority"];
  await openssl(...authority, "-keyout", "ca.key", "-out", "ca.pem");
  await Deno.writeTextFile(`${folder}/names`, "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  for (const name of ["server", "client"]) {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.csr`];
    await openssl(...request, "-subj", `/CN=${name}`, ...files);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
    await openssl("x509", "-req", "-days", "2", ...by, "-in", files[3], "-out", `${name}.pem`);
  }
}
