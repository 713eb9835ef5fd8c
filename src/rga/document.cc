#include "rga/document_impl.h"

namespace weft::rga {

template class BasicDocument<DefaultShape>;

}  // namespace weft::rga
