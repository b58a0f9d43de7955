#include "sum/reduce_requests.h"

mlpd_status reduce_packet_create(MPI_Datatype *packet) {
  *packet = MPI_DATATYPE_NULL;
  CHECK_MPI(MPI_Type_contiguous(PACKET_BYTES, MPI_BYTE, packet));
  CHECK_MPI(MPI_Type_commit(packet));
  return MLPD_OK;
}

void reduce_packet_free(MPI_Datatype *packet) {
  if (*packet != MPI_DATATYPE_NULL) (void)MPI_Type_free(packet);
}

mlpd_status reduce_add_receive(const reducer *r, MPI_Datatype packet, request_list *list, int tag, int peer, char *to,
                               size_t packets) {
  if (packets == 0) return MLPD_OK;
  CHECK_MPI(MPI_Recv_init(to, (int)packets, packet, peer, tag, r->comm->mpi, &list->requests[list->count]));
  ++list->count;
  return MLPD_OK;
}

mlpd_status reduce_add_send(const reducer *r, MPI_Datatype packet, request_list *list, int tag, int peer,
                            const char *from, size_t packets) {
  if (packets == 0) return MLPD_OK;
  CHECK_MPI(MPI_Send_init(from, (int)packets, packet, peer, tag, r->comm->mpi, &list->requests[list->count]));
  ++list->count;
  return MLPD_OK;
}

mlpd_status reduce_start(request_list *list, int begin, int end) {
  if (begin < end) CHECK_MPI(MPI_Startall(end - begin, list->requests + begin));
  return MLPD_OK;
}

mlpd_status reduce_test(request_list *list, int begin, int end, bool *done) {
  int flag = 1;
  if (begin < end) CHECK_MPI(MPI_Testall(end - begin, list->requests + begin, &flag, MPI_STATUSES_IGNORE));
  *done = flag != 0;
  return MLPD_OK;
}

void reduce_free_requests(request_list *list) {
  for (int i = 0; i < list->count; ++i) (void)MPI_Request_free(&list->requests[i]);
  list->count = 0;
}
