// The core once more, with a tree so small that a few edits split and merge it.
#include "rga/document_impl.h"
#include "rga/document_purge.h"
#include "rga/document_queries.h"
#include "rga/document_remote.h"
#include "rga/document_state.h"
#include "rga/undo_impl.h"

namespace weft::rga {

template class BasicDocument<TinyShape>;
template class BasicUndoHistory<TinyShape>;

}  // namespace weft::rga
