import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A disk of its own under a folder, for tests that fill it or take it away. */
export interface SmallDisk {
  /** Fills it to the last byte; with `leaveBytes`, that much is given free again. */
  fill(leaveBytes?: number): void;
  makeRoom(): void;
  /** Nobody may have a file open for writing. */
  setReadOnly(readOnly: boolean): void;
  unmount(): void;
}

/** Why no disk can be mounted here, or undefined. In CI that is an error. */
export function mountsMissing(inCi: boolean): string | undefined {
  const why = process.getuid?.() === 0 ? undefined : "not run as root";
  if (why !== undefined && inCi)
    throw new Error(`${why}: CI runs the tests with full disks, it does not skip them`);
  return why;
}

/** Why no file system in a file can be mounted here, or undefined: some containers have no loop devices. */
export function failingDiskMissing(): string | undefined {
  try {
    run("mkfs.ext4", "-V");
    run("losetup", "--find");
    return undefined;
  } catch {
    return "no loop device, or e2fsprogs is not installed";
  }
}

/** In memory, mode 0700. The folder is made when it is not there. */
export function mountSmallDisk(folder: string, sizeMib: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  run("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m,mode=700`, "tmpfs", folder);
  const filler = join(folder, "filler");
  return {
    fill(leaveBytes = 0) {
      const size = fillUp(filler);
      truncateSync(filler, size - leaveBytes);
    },
    makeRoom: () => rmSync(filler, { force: true }),
    setReadOnly: (readOnly) => run("mount", "-o", `remount,${readOnly ? "ro" : "rw"}`, folder),
    unmount: () => run("umount", "--lazy", folder),
  };
}

export interface FailingDisk {
  /** Makes it read-only at once, with whatever is open on it, as the kernel does after an I/O error. */
  fail(): void;
  unmount(): void;
  /** What is on it, as after a boot. */
  mount(): void;
}

/** An ext4 file system in a file, mounted through a loop device. */
export function mountFailingDisk(image: string, folder: string, sizeMib: number): FailingDisk {
  mkdirSync(folder, { recursive: true });
  writeFileSync(image, "");
  truncateSync(image, sizeMib * 2 ** 20);
  run("mkfs.ext4", "-q", "-F", "-m", "0", image);
  const mount = (from: string) => run("mount", "-o", "loop,errors=remount-ro", from, folder);
  mount(image);
  return {
    mount() {
      // While a mount namespace elsewhere still has it, mounted again it would be the very same, failed as it is.
      const copy = `${image}.copy`;
      copyFileSync(image, copy);
      mount(copy);
    },
    fail: () => run("mount", "-o", "remount,abort", folder),
    unmount: () => run("umount", folder),
  };
}

/** Answers by its size. */
function fillUp(path: string): number {
  const file = openSync(path, "a");
  const chunk = Buffer.alloc(4096);
  let size = 0;
  try {
    for (;;) size += writeSync(file, chunk);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOSPC") throw error;
    return size;
  } finally {
    closeSync(file);
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
}
