import { type CommandBlock, commandBlocks, documents } from "./command-blocks.ts";
import { type Scenario, typedIn } from "./reading-list.ts";

/** What one test types, of what is listed for it. */
export interface Reading {
  /**
   * The lines of the block that begins so, with what the reader puts in the place of an example. Throws for a piece
   * that is not there.
   */
  block(document: string, beginning: string, instead?: Readonly<Record<string, string>>): string;
  /** What is listed and was not typed. */
  left(): string[];
}

const nameOf = ({ document, lines }: CommandBlock) => `${document}: ${lines}`;

function allBlocks(): CommandBlock[] {
  return documents().flatMap(commandBlocks);
}

/** The blocks that an entry of a reading list means: one, unless the documents have changed. */
export function blocksOf(entry: string, blocks: readonly CommandBlock[] = allBlocks()): CommandBlock[] {
  return blocks.filter((block) => nameOf(block).startsWith(entry));
}

/** The name of each block that no entry means. */
export function unlisted(entries: readonly string[]): string[] {
  const blocks = allBlocks();
  const listed = new Set(entries.flatMap((entry) => blocksOf(entry, blocks)));
  return blocks.filter((block) => !listed.has(block)).map((block) => `${block.document}: ${block.first}`);
}

export function openReading(scenario: Scenario): Reading {
  const left = new Set(typedIn(scenario));
  return {
    block(document, beginning, instead = {}) {
      const entry = `${document}: ${beginning}`;
      const [block] = blocksOf(entry);
      if (block === undefined || !typedIn(scenario).includes(entry)) {
        throw new Error(`${entry} is not in the documents, or not on the reading list of ${scenario}`);
      }
      left.delete(entry);
      return Object.entries(instead).reduce((so, [piece, by]) => {
        if (!so.includes(piece)) throw new Error(`${entry} has no ${piece}`);
        return so.replaceAll(piece, by);
      }, block.lines);
    },
    left: () => [...left],
  };
}
