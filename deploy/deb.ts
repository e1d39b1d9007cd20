/**
 * Makes Debian packages of the compiled files: `deno task deb [--all]`.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { UserError } from "../src/user_error.ts";
import { VERSION } from "../src/version.ts";
import { completions } from "./completions.ts";
import { DIST, executableOf, LICENCES, SBOM, writeChecksums } from "./dist.ts";
import { program } from "./program.ts";
import { buildFolder, PROJECT } from "./project.ts";
import { run } from "./run.ts";
import { ownTarget, type Target, TARGETS } from "./target.ts";
import { configurationFiles, manualPage, unit, UNITS } from "./templates.ts";

const HELP = `Usage: deno task deb [options]

Makes a Debian package of dist/flosensor-<target> for this machine.

Options:
  --all            for all machines: ${
  TARGETS.map(({ debianArchitecture }) => debianArchitecture).join(", ")
}
  --dist <folder>  where the compiled files are, and packages go, in the place of dist

DEBFULLNAME and DEBEMAIL name the maintainer, as for other tools of Debian. With SOURCE_DATE_EPOCH,
the same files make the same package.
`;
const FOLDER = "/usr/bin";
const CONFIGURATION = "etc/flosensor";
const EXAMPLES = "docs/examples";
const MONITORING = "deploy/monitoring";
const KIBIBYTE = 1024;
const BEST_COMPRESSION = 9;
/** Of xz: level 1 takes a fifth of the time that level 6 does, and makes a seventh more of it. */
const COMPRESSION = "-z1";
/** Nobody reads mail at a host of this domain, RFC 2606. */
const NOBODY = "nobody@flosensor.invalid";

/** A package while it is put together: a folder that stands for `/`. */
class Package {
  readonly #target: Target;
  readonly #dist: string;
  readonly #root: string;

  /**
   * @param dist The folder of the compiled files.
   * @param root An empty folder.
   */
  constructor(target: Target, dist: string, root: string) {
    this.#target = target;
    this.#dist = dist;
    this.#root = root;
  }

  /** @returns The path of the package. */
  async make(): Promise<string> {
    await this.#putExecutable();
    for (const name of UNITS) {
      await this.#put(`usr/lib/systemd/system/${name}`, await packagedUnit(name));
    }
    await this.#put("usr/share/man/man8/flosensor.8.gz", gzip(await manualPage(FOLDER)));
    for (const [path, text] of completions("vendor-completions")) {
      await this.#put(`usr/share/${path}`, text);
    }
    await this.#put("usr/share/doc/flosensor/changelog.gz", gzip(changelog()));
    await this.#put("usr/share/doc/flosensor/copyright", await packaging("copyright"));
    await this.#put("usr/share/doc/flosensor/third-party.gz", gzip(await licences(this.#dist)));
    await this.#put("usr/share/doc/flosensor/flosensor.cdx.json", await bill(this.#dist));
    await this.#put("usr/share/lintian/overrides/flosensor", await packaging("lintian-overrides"));
    await this.#putExamples();
    for (const [name, text] of await configurationFiles()) {
      await this.#put(`${CONFIGURATION}/${name}`, text);
    }
    await this.#putControl();
    const { debianArchitecture } = this.#target;
    const file = join(this.#dist, `flosensor_${VERSION}_${debianArchitecture}.deb`);
    // Its files belong to root, whoever makes it.
    await run("dpkg-deb", ["--root-owner-group", COMPRESSION, "--build", this.#root, file]);
    return file;
  }

  async #putExecutable(): Promise<void> {
    const executable = executableOf(this.#target, this.#dist);
    const path = await this.#place("usr/bin/flosensor");
    try {
      await Deno.copyFile(executable, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UserError(`${executable} is not there: make it with: deno task compile`);
    }
    await Deno.chmod(path, 0o755);
  }

  async #putExamples(): Promise<void> {
    for (const [folder, type] of [[EXAMPLES, ".ts"], [MONITORING, ""]]) {
      for (const { name } of Deno.readDirSync(join(PROJECT, folder))) {
        if (!name.endsWith(type)) continue;
        const text = await Deno.readTextFile(join(PROJECT, folder, name));
        await this.#put(`usr/share/doc/flosensor/examples/${name}`, text);
      }
    }
  }

  async #putControl(): Promise<void> {
    const files = [...(await configurationFiles()).keys()];
    const conffiles = files.map((name) => `/${CONFIGURATION}/${name}\n`).join("");
    await this.#put("DEBIAN/conffiles", conffiles);
    for (const script of ["postinst", "prerm", "postrm"]) {
      await this.#put(`DEBIAN/${script}`, await packaging(script), 0o755);
    }
    const text = await packaging("control");
    const values: Record<string, string> = {
      VERSION,
      ARCHITECTURE: this.#target.debianArchitecture,
      MAINTAINER: maintainer(),
      INSTALLED_SIZE: String(Math.ceil(await sizeOf(this.#root) / KIBIBYTE)),
    };
    await this.#put("DEBIAN/control", text.replaceAll(/@(\w+)@/g, (_, name) => values[name]));
  }

  async #put(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const target = await this.#place(path);
    await Deno.writeFile(
      target,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    await Deno.chmod(target, mode);
  }

  /** Makes the folders of a path; whatever the umask is, all may look into them. */
  async #place(path: string): Promise<string> {
    const target = join(this.#root, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    for (let folder = dirname(target); folder.startsWith(this.#root); folder = dirname(folder)) {
      await Deno.chmod(folder, 0o755);
    }
    return target;
  }
}

function packaging(name: string): Promise<string> {
  return Deno.readTextFile(join(PROJECT, "deploy/debian", name));
}

/** A unit, where the manual has a page. */
async function packagedUnit(name: typeof UNITS[number]): Promise<string> {
  const text = await unit(name, FOLDER);
  return text.replace(/^Description=.*$/m, "$&\nDocumentation=man:flosensor(8)");
}

function bill(dist: string): Promise<string> {
  return Deno.readTextFile(join(dist, SBOM));
}

function licences(dist: string): Promise<string> {
  return Deno.readTextFile(join(dist, LICENCES));
}

function maintainer(): string {
  return `${Deno.env.get("DEBFULLNAME") || "flosensor"} <${Deno.env.get("DEBEMAIL") || NOBODY}>`;
}

/** Of a native package, deb-changelog(5). */
function changelog(): string {
  // https://reproducible-builds.org/specs/source-date-epoch/, which dpkg-deb goes by too.
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH") ?? "";
  if (!/^\d{0,11}$/.test(epoch)) {
    throw new UserError(`SOURCE_DATE_EPOCH=${epoch}: give seconds since 1970-01-01 UTC`);
  }
  const time = epoch === "" ? new Date() : new Date(Number(epoch) * 1000);
  const date = time.toUTCString().replace("GMT", "+0000");
  return `flosensor (${VERSION}) unstable; urgency=medium\n\n` +
    `  * See the history of the source.\n\n -- ${maintainer()}  ${date}\n`;
}

function gzip(text: string): Uint8Array {
  return gzipSync(text, { level: BEST_COMPRESSION });
}

async function sizeOf(directory: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    size += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return size;
}

if (import.meta.main) {
  await program("deb", async () => {
    const { values } = parseArgs({
      options: {
        all: { type: "boolean", default: false },
        dist: { type: "string", default: DIST },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return console.log(HELP.trimEnd());
    for (const target of values.all ? TARGETS : [ownTarget()]) {
      const root = await Deno.makeTempDir({ dir: await buildFolder(), prefix: "deb-" });
      try {
        console.log(await new Package(target, values.dist, root).make());
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    }
    await writeChecksums(values.dist);
  });
}
