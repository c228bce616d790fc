import { Module } from '@nestjs/common';
import { AdminBlocksController } from './blocks/admin-blocks.controller';
import { BlockReader } from './blocks/block-reader';
import { CreateBlock } from './blocks/create-block';
import { ReleaseBlock } from './blocks/release-block';
import { HealthController } from './health.controller';
import { Readiness } from './readiness';

/** What operators and their monitors look at. */
@Module({ controllers: [HealthController, AdminBlocksController], providers: [Readiness, BlockReader, CreateBlock, ReleaseBlock] })
export class OperationsModule {}
