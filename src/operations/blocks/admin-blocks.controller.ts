import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { BlockReader } from './block-reader';
import {
  blockId, blockObject, blockPage, createBlockBody, type CreateBlockBody, listBlocksQuery, type ListBlocksQuery,
} from './blocks.dto';
import { CreateBlock } from './create-block';
import { ReleaseBlock } from './release-block';

/** The addresses that are shut out, and those that never are. */
@ApiTags('Staff: blocks')
@Controller('v1/admin/blocks')
export class AdminBlocksController {
  constructor(
    private readonly blocks: BlockReader,
    private readonly creating: CreateBlock,
    private readonly releasing: ReleaseBlock,
  ) {}

  @Get()
  @Policy({
    access: 'staff', roles: ['admin', 'analyst', 'auditor'], limit: 'person', audit: null,
    summary: 'List blocked and allowed addresses, newest first', answer: blockPage,
  })
  list(@Query({ schema: listBlocksQuery }) query: ListBlocksQuery) {
    return this.blocks.list(query);
  }

  @Post()
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'person', idempotent: true, audit: 'ip_block.created',
    summary: 'Block or allow an address', status: 201, answer: blockObject, problems: ['state_conflict'],
  })
  create(@Body({ schema: createBlockBody }) body: CreateBlockBody) {
    return this.creating.create(body);
  }

  @Delete(':id')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'person', audit: 'ip_block.released',
    summary: 'Release an address', status: 204, answer: null, problems: ['not_found'],
  })
  release(@Param({ schema: blockId }) { id }: { id: string }) {
    return this.releasing.release(id);
  }
}
