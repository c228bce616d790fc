import { Injectable } from '@nestjs/common';

/** The time that a summary is of. */
export interface SummaryWindow {
  from: Date;
  to: Date;
}

/** What one room adds to the summary for staff, under a name of its own. */
export interface SummarySection {
  /** In snake_case, as it stands in the answer. */
  readonly name: string;
  /** One round trip, along an index by id or time: the window may be a month. What it answers goes out as JSON. */
  read(window: SummaryWindow): Promise<object>;
}

/** The sections that rooms have registered. The summary shows them without knowing what is in them. */
@Injectable()
export class SummarySections {
  private readonly sections = new Map<string, SummarySection>();

  /** Adds a section; a second one of the same name is a mistake of ours and stops the start-up. */
  register(section: SummarySection): void {
    if (this.sections.has(section.name)) throw new Error(`There are two sections ${section.name} in the summary.`);
    this.sections.set(section.name, section);
  }

  /** All sections of a window, by name. */
  async read(window: SummaryWindow): Promise<Record<string, object>> {
    const read = [...this.sections.values()].map(async (section) => [section.name, await section.read(window)] as const);
    return Object.fromEntries(await Promise.all(read));
  }
}
