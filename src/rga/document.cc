#include "rga/document_impl.h"
#include "rga/document_purge.h"
#include "rga/document_queries.h"
#include "rga/document_remote.h"
#include "rga/document_state.h"

namespace weft::rga {

template class BasicDocument<DefaultShape>;

}  // namespace weft::rga
