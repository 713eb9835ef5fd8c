// A store: journal, catalog, history, access and replicas in one, whatever database is behind it.
#pragma once

#include "collab/access_ports.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "collab/replica_ports.h"
#include "storage/history_import.h"

namespace weft::storage {

class Store : public collab::Journal,
              public collab::Catalog,
              public collab::History,
              public collab::AccessStore,
              public collab::ReplicaRegistry {
 public:
  /// Brings in a document with its history. Conflict, code "document_exists", when the id is or was
  /// a document's.
  virtual void import(HistoryImport history, Executor& on,
                      collab::Done<collab::DocumentRecord> done) = 0;
};

}  // namespace weft::storage
