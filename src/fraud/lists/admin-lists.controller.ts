import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { ChangeLists } from './change-lists';
import { FeedDownload } from './feeds/feed-download';
import { ImportFeed } from './feeds/import-feed';
import { listEntryObject } from './list-entry';
import { ListReader } from './list-reader';
import {
  addEntryBody, type AddEntryBody, entryId, entryPage, importBody, type ImportBody, importObject, listEntriesQuery, type ListEntriesQuery,
} from './lists.dto';

/** Whom the operator lets through or stops by name. */
@ApiTags('Staff: risk lists')
@Controller('v1/admin/risk/lists')
export class AdminListsController {
  constructor(
    private readonly lists: ListReader,
    private readonly changing: ChangeLists,
    private readonly importing: ImportFeed,
    private readonly feeds: FeedDownload,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: ['admin', 'approver', 'analyst', 'auditor'], limit: 'person', audit: null,
    summary: 'List who is let through or stopped by name, newest first', answer: entryPage,
  })
  list(@Query({ schema: listEntriesQuery }) query: ListEntriesQuery) {
    return this.lists.list(query);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'person', idempotent: true, audit: 'risk_list.entry_added',
    summary: 'Put an address, country, customer, domain, destination or card on a list', status: 201, answer: listEntryObject,
    problems: ['not_found', 'state_conflict'],
  })
  add(@Body({ schema: addEntryBody }) body: AddEntryBody) {
    return this.changing.add(body);
  }

  @Post('import')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'client_edit', audit: 'risk_list.imported',
    summary: 'Take a feed in the place of what came under its name before', answer: importObject,
    problems: ['state_conflict', 'url_not_allowed', 'provider_unavailable'],
  })
  async import(@Body({ schema: importBody }) { url, content, expires_in_days: expiresInDays, ...order }: ImportBody) {
    const text = content ?? (await this.feeds.read(url!));
    return this.importing.import({ ...order, expiresInDays, text, from: url ?? 'the request' });
  }

  @Delete(':id')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'person', audit: 'risk_list.entry_removed',
    summary: 'Take an entry off its list', status: 204, answer: null, problems: ['not_found'],
  })
  remove(@Param({ schema: entryId }) { id }: { id: string }) {
    return this.changing.remove(id);
  }
}
