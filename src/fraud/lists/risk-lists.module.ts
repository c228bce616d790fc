import { Module } from '@nestjs/common';
import { AdminListsController } from './admin-lists.controller';
import { ChangeLists } from './change-lists';
import { FeedDownload } from './feeds/feed-download';
import { ImportFeed } from './feeds/import-feed';
import { ListReader } from './list-reader';

/** Whom the operator lets through or stops by name, by hand and by feed. Payments ask risk_list_hits in the database. */
@Module({
  controllers: [AdminListsController],
  providers: [ListReader, ChangeLists, ImportFeed, FeedDownload],
  exports: [ImportFeed, FeedDownload],
})
export class RiskListsModule {}
