! mlpdist in Fortran: training on arrays, predictions and derivatives. Fortran 2018, over the C library.
!
! Compile this file with the compiler of your program, and link with -lmlpdist. What a procedure does, and when it fails,
! stands in mlpdist.h at the C function that its comment names.
!
!   shapes   x(features, samples), y(targets, samples), classes(samples): a column is a sample. Contiguous arrays are used
!            where they lie; the compiler copies others.
!   status   is mlpd_ok (0) or a positive number; mlpd_message() then says in one line what failed. Without status= a
!            failure ends the program by error stop with that line.
!   objects  mlpd_free frees what a variable holds; once more, or of a variable that holds nothing, it does nothing. A
!            procedure that makes an object does not free the one that its variable held before.
!   threads  one mlpd_predictor for each thread; any number of them may work on one model at once.
module mlpdist
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: real32, real64, int32, int64
  implicit none
  private

  integer, parameter, public :: mlpd_ok = 0
  integer, parameter :: error_usage = 1 ! MLPD_ERROR_USAGE of mlpdist.h

  ! What this module itself refused last, in this thread; blank: the library has failed since.
  character(120), save :: refused = ' '
  !$omp threadprivate(refused)

  ! A group of MPI ranks (mlpd_comm): mlpd_comm_from or mlpd_comm_alone makes it, mlpd_free frees it.
  type, public :: mlpd_comm
    private
    type(c_ptr) :: handle = c_null_ptr
  end type

  ! Options of a training run (mlpd_options): a program sets them by name; unset, they are the defaults.
  type, public :: mlpd_options
    private
    type(c_ptr) :: handle = c_null_ptr
  end type

  ! A trained model (mlpd_model): mlpd_fit or mlpd_load makes it, mlpd_free frees it.
  type, public :: mlpd_model
    private
    type(c_ptr) :: handle = c_null_ptr
  end type

  ! Working memory of one thread for one model (mlpd_predictor).
  type, public :: mlpd_predictor
    private
    type(c_ptr) :: handle = c_null_ptr
  end type

  ! Training under way (mlpd_trainer): mlpd_trainer_create makes it, mlpd_free frees it, before its mlpd_comm.
  type, public :: mlpd_trainer
    private
    type(c_ptr) :: handle = c_null_ptr
    integer :: features = 0, targets = 0
  end type

  public :: mlpd_trainer_create, mlpd_trainer_save, mlpd_trainer_load
  public :: mlpd_add, mlpd_step, mlpd_replay, mlpd_normalize, mlpd_current, mlpd_steps
  public :: mlpd_comm_from, mlpd_comm_alone, mlpd_set, mlpd_fit, mlpd_load, mlpd_save, mlpd_features, mlpd_outputs
  public :: mlpd_predictor_create, mlpd_predict, mlpd_classify, mlpd_jacobian, mlpd_vjp, mlpd_free, mlpd_message

  ! mlpd_fit(comm, options, x, y, model [, status]): trains on this rank's samples, real32 or real64; y(targets, samples)
  ! for a regression, integer(int32) y(samples), from 0, for classes.
  interface mlpd_fit
    module procedure fit_real64, fit_real32, fit_classes_real64, fit_classes_real32
  end interface

  ! mlpd_add(trainer, x, y [, status]): puts this rank's samples into the buffer (mlpd_trainer_add).
  interface mlpd_add
    module procedure add_real64, add_real32, add_classes_real64, add_classes_real32
  end interface

  ! mlpd_step(trainer, x, y [, loss, status]): a step on this rank's samples of the batch (mlpd_trainer_step).
  interface mlpd_step
    module procedure step_real64, step_real32, step_classes_real64, step_classes_real32
  end interface

  ! mlpd_predict(predictor, x, y [, status]): y(outputs, samples), targets in their units or probabilities of classes.
  interface mlpd_predict
    module procedure predict_real64, predict_real32
  end interface

  ! mlpd_classify(predictor, x, classes [, status]): the most probable class of each sample, from 0.
  interface mlpd_classify
    module procedure classify_real64, classify_real32
  end interface

  ! mlpd_jacobian(predictor, x, jacobian [, status]): jacobian(j, k, i) = d y(k, i) / d x(j, i).
  interface mlpd_jacobian
    module procedure jacobian_real64, jacobian_real32
  end interface

  ! mlpd_vjp(predictor, x, u, gradient [, status]): gradient(j, i) = sum over k of u(k, i) d y(k, i) / d x(j, i).
  interface mlpd_vjp
    module procedure vjp_real64, vjp_real32
  end interface

  interface mlpd_free
    module procedure free_comm, free_options, free_model, free_predictor, free_trainer
  end interface

  ! mlpd_type of mlpdist.h
  integer(c_int), parameter :: type_int32 = 4, type_float32 = 8, type_float64 = 9

  ! mlpd_rows and mlpd_output of mlpdist.h, and mlpd_data_rows
  type, bind(c) :: c_rows
    type(c_ptr) :: data = c_null_ptr
    integer(c_int) :: type = 0
    integer(c_int64_t) :: rows = 0
    integer(c_int32_t) :: columns = 0
    integer(c_ptrdiff_t) :: row_step = 0, column_step = 0
  end type

  type, bind(c) :: c_data_rows
    type(c_rows) :: x, y, weight, valid_x, valid_y, test_x, test_y
    type(c_ptr) :: column_names = c_null_ptr, target_names = c_null_ptr, class_names = c_null_ptr
    integer(c_int32_t) :: num_class_names = 0
  end type

  interface
    function c_error_message() bind(c, name='mlpd_error_message')
      import c_ptr
      type(c_ptr) :: c_error_message
    end function
    function c_strlen(text) bind(c, name='strlen')
      import c_ptr, c_size_t
      type(c_ptr), value :: text
      integer(c_size_t) :: c_strlen
    end function
    function c_comm_from(handle, comm) bind(c, name='mlpd_comm_from')
      import c_ptr, c_int
      integer(c_int), value :: handle
      type(c_ptr) :: comm
      integer(c_int) :: c_comm_from
    end function
    function c_comm_alone(comm) bind(c, name='mlpd_comm_alone')
      import c_ptr, c_int
      type(c_ptr) :: comm
      integer(c_int) :: c_comm_alone
    end function
    subroutine c_comm_finalize(comm) bind(c, name='mlpd_comm_finalize')
      import c_ptr
      type(c_ptr), value :: comm
    end subroutine
    function c_options_create(options) bind(c, name='mlpd_options_create')
      import c_ptr, c_int
      type(c_ptr) :: options
      integer(c_int) :: c_options_create
    end function
    function c_options_set(options, name, text) bind(c, name='mlpd_options_set')
      import c_ptr, c_int, c_char
      type(c_ptr), value :: options
      character(kind=c_char), intent(in) :: name(*), text(*)
      integer(c_int) :: c_options_set
    end function
    subroutine c_options_rows(options, rows) bind(c, name='mlpd_options_rows')
      import c_ptr
      type(c_ptr), value :: options, rows
    end subroutine
    subroutine c_options_free(options) bind(c, name='mlpd_options_free')
      import c_ptr
      type(c_ptr), value :: options
    end subroutine
    function c_fit(comm, options, model) bind(c, name='mlpd_fit')
      import c_ptr, c_int
      type(c_ptr), value :: comm, options
      type(c_ptr) :: model
      integer(c_int) :: c_fit
    end function
    function c_trainer_create(comm, options, features, targets, steps_per_epoch, buffer_rows, trainer) &
      bind(c, name='mlpd_trainer_create')
      import c_ptr, c_int, c_int32_t, c_int64_t
      type(c_ptr), value :: comm, options
      integer(c_int32_t), value :: features, targets
      integer(c_int64_t), value :: steps_per_epoch, buffer_rows
      type(c_ptr) :: trainer
      integer(c_int) :: c_trainer_create
    end function
    function c_trainer_normalize(trainer, x_shift, x_scale, y_shift, y_scale) bind(c, name='mlpd_trainer_normalize')
      import c_ptr, c_int
      type(c_ptr), value :: trainer, x_shift, x_scale, y_shift, y_scale
      integer(c_int) :: c_trainer_normalize
    end function
    function c_trainer_add(trainer, x, y) bind(c, name='mlpd_trainer_add')
      import c_ptr, c_int, c_rows
      type(c_ptr), value :: trainer
      type(c_rows), intent(in) :: x, y
      integer(c_int) :: c_trainer_add
    end function
    function c_trainer_step(trainer, x, y, loss) bind(c, name='mlpd_trainer_step')
      import c_ptr, c_int, c_double
      type(c_ptr), value :: trainer, x, y
      real(c_double) :: loss
      integer(c_int) :: c_trainer_step
    end function
    function c_trainer_steps(trainer) bind(c, name='mlpd_trainer_steps')
      import c_ptr, c_int64_t
      type(c_ptr), value :: trainer
      integer(c_int64_t) :: c_trainer_steps
    end function
    function c_trainer_model(trainer, model) bind(c, name='mlpd_trainer_model')
      import c_ptr, c_int
      type(c_ptr), value :: trainer
      type(c_ptr) :: model
      integer(c_int) :: c_trainer_model
    end function
    function c_trainer_save(trainer, path) bind(c, name='mlpd_trainer_save')
      import c_ptr, c_int, c_char
      type(c_ptr), value :: trainer
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: c_trainer_save
    end function
    function c_trainer_load(trainer, path) bind(c, name='mlpd_trainer_load')
      import c_ptr, c_int, c_char
      type(c_ptr), value :: trainer
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: c_trainer_load
    end function
    subroutine c_trainer_free(trainer) bind(c, name='mlpd_trainer_free')
      import c_ptr
      type(c_ptr), value :: trainer
    end subroutine
    function c_model_load(path, model) bind(c, name='mlpd_model_load')
      import c_ptr, c_int, c_char
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr) :: model
      integer(c_int) :: c_model_load
    end function
    function c_model_save(model, path) bind(c, name='mlpd_model_save')
      import c_ptr, c_int, c_char
      type(c_ptr), value :: model
      character(kind=c_char), intent(in) :: path(*)
      integer(c_int) :: c_model_save
    end function
    function c_model_features(model) bind(c, name='mlpd_model_features')
      import c_ptr, c_int32_t
      type(c_ptr), value :: model
      integer(c_int32_t) :: c_model_features
    end function
    function c_model_outputs(model) bind(c, name='mlpd_model_outputs')
      import c_ptr, c_int32_t
      type(c_ptr), value :: model
      integer(c_int32_t) :: c_model_outputs
    end function
    subroutine c_model_free(model) bind(c, name='mlpd_model_free')
      import c_ptr
      type(c_ptr), value :: model
    end subroutine
    function c_predictor_create(model, threads, predictor) bind(c, name='mlpd_predictor_create')
      import c_ptr, c_int
      type(c_ptr), value :: model
      integer(c_int), value :: threads
      type(c_ptr) :: predictor
      integer(c_int) :: c_predictor_create
    end function
    function c_predictor_run(predictor, x, values, classes) bind(c, name='mlpd_predictor_run')
      import c_ptr, c_int, c_rows
      type(c_ptr), value :: predictor, values, classes
      type(c_rows), intent(in) :: x
      integer(c_int) :: c_predictor_run
    end function
    function c_predictor_jacobian(predictor, x, jacobian) bind(c, name='mlpd_predictor_jacobian')
      import c_ptr, c_int, c_rows
      type(c_ptr), value :: predictor
      type(c_rows), intent(in) :: x, jacobian
      integer(c_int) :: c_predictor_jacobian
    end function
    function c_predictor_vjp(predictor, x, u, gradient) bind(c, name='mlpd_predictor_vjp')
      import c_ptr, c_int, c_rows
      type(c_ptr), value :: predictor
      type(c_rows), intent(in) :: x, u, gradient
      integer(c_int) :: c_predictor_vjp
    end function
    subroutine c_predictor_free(predictor) bind(c, name='mlpd_predictor_free')
      import c_ptr
      type(c_ptr), value :: predictor
    end subroutine
  end interface

contains

  ! ---- Status ------------------------------------------------------------------------------------------------------

  ! The last failure of the calling thread in one line (mlpd_error_message).
  function mlpd_message() result(message)
    character(:), allocatable :: message
    character(kind=c_char), pointer :: text(:)
    type(c_ptr) :: at
    integer :: i
    if (refused /= ' ') then
      message = trim(refused)
      return
    end if
    at = c_error_message()
    call c_f_pointer(at, text, [c_strlen(at)])
    allocate(character(size(text)) :: message)
    do i = 1, size(text)
      message(i:i) = text(i)
    end do
  end function

  subroutine finish(code, status)
    integer(c_int), intent(in) :: code
    integer, intent(out), optional :: status
    if (code /= mlpd_ok) refused = ' '
    if (present(status)) then
      status = code
    else if (code /= mlpd_ok) then
      error stop mlpd_message()
    end if
  end subroutine

  subroutine refuse(message, status)
    character(*), intent(in) :: message
    integer, intent(out), optional :: status
    if (.not. present(status)) error stop message
    refused = message
    status = error_usage
  end subroutine

  pure function c_text(text) result(terminated)
    character(*), intent(in) :: text
    character(len_trim(text) + 1, c_char) :: terminated
    terminated = trim(text) // c_null_char
  end function

  ! ---- Ranks, options, models --------------------------------------------------------------------------------------

  ! The ranks of an MPI communicator: an integer of `use mpi`, or comm%mpi_val of `use mpi_f08`. Collective.
  subroutine mlpd_comm_from(communicator, comm, status)
    integer, intent(in) :: communicator
    type(mlpd_comm), intent(out) :: comm
    integer, intent(out), optional :: status
    call finish(c_comm_from(int(communicator, c_int), comm%handle), status)
  end subroutine

  ! This process alone; MPI need not be running.
  subroutine mlpd_comm_alone(comm, status)
    type(mlpd_comm), intent(out) :: comm
    integer, intent(out), optional :: status
    call finish(c_comm_alone(comm%handle), status)
  end subroutine

  ! call mlpd_set(options, 'hidden', '64,64'): as --hidden 64,64 of mlpdist train (mlpd_options_set).
  subroutine mlpd_set(options, name, text, status)
    type(mlpd_options), intent(inout) :: options
    character(*), intent(in) :: name, text
    integer, intent(out), optional :: status
    integer(c_int) :: code
    code = need_options(options)
    if (code == mlpd_ok) code = c_options_set(options%handle, c_text(name), c_text(text))
    call finish(code, status)
  end subroutine

  function need_options(options) result(code)
    type(mlpd_options), intent(inout) :: options
    integer(c_int) :: code
    code = mlpd_ok
    if (.not. c_associated(options%handle)) code = c_options_create(options%handle)
  end function

  subroutine mlpd_load(path, model, status)
    character(*), intent(in) :: path
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    call finish(c_model_load(c_text(path), model%handle), status)
  end subroutine

  subroutine mlpd_save(model, path, status)
    type(mlpd_model), intent(in) :: model
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call finish(c_model_save(model%handle, c_text(path)), status)
  end subroutine

  ! Values of a sample, and outputs of it; 0 where the variable holds no model.
  integer function mlpd_features(model)
    type(mlpd_model), intent(in) :: model
    mlpd_features = 0
    if (c_associated(model%handle)) mlpd_features = c_model_features(model%handle)
  end function

  integer function mlpd_outputs(model)
    type(mlpd_model), intent(in) :: model
    mlpd_outputs = 0
    if (c_associated(model%handle)) mlpd_outputs = c_model_outputs(model%handle)
  end function

  subroutine free_comm(comm)
    type(mlpd_comm), intent(inout) :: comm
    call c_comm_finalize(comm%handle)
    comm%handle = c_null_ptr
  end subroutine

  subroutine free_options(options)
    type(mlpd_options), intent(inout) :: options
    call c_options_free(options%handle)
    options%handle = c_null_ptr
  end subroutine

  subroutine free_model(model)
    type(mlpd_model), intent(inout) :: model
    call c_model_free(model%handle)
    model%handle = c_null_ptr
  end subroutine

  subroutine free_predictor(predictor)
    type(mlpd_predictor), intent(inout) :: predictor
    call c_predictor_free(predictor%handle)
    predictor%handle = c_null_ptr
  end subroutine

  subroutine free_trainer(trainer)
    type(mlpd_trainer), intent(inout) :: trainer
    call c_trainer_free(trainer%handle)
    trainer%handle = c_null_ptr
  end subroutine

  ! ---- Arrays ------------------------------------------------------------------------------------------------------

  ! x(columns, samples) as the library sees it: a row of C is a column of Fortran.
  function rows_real64(x) result(rows)
    real(real64), intent(in), target, contiguous :: x(:, :)
    type(c_rows) :: rows
    rows = c_rows(data=place(c_loc(x), size(x, kind=c_int64_t)), type=type_float64, rows=size(x, 2, c_int64_t), &
                  columns=size(x, 1, c_int32_t))
  end function

  function rows_real32(x) result(rows)
    real(real32), intent(in), target, contiguous :: x(:, :)
    type(c_rows) :: rows
    rows = c_rows(data=place(c_loc(x), size(x, kind=c_int64_t)), type=type_float32, rows=size(x, 2, c_int64_t), &
                  columns=size(x, 1, c_int32_t))
  end function

  function rows_classes(y) result(rows)
    integer(int32), intent(in), target, contiguous :: y(:)
    type(c_rows) :: rows
    rows = c_rows(data=place(c_loc(y), size(y, kind=c_int64_t)), type=type_int32, rows=size(y, 1, c_int64_t), columns=1)
  end function

  ! c_loc of an array without elements is whatever the compiler likes.
  function place(at, elements) result(data)
    type(c_ptr), value :: at
    integer(c_int64_t), intent(in) :: elements
    type(c_ptr) :: data
    data = at
    if (elements == 0) data = c_null_ptr
  end function

  ! ---- Training ----------------------------------------------------------------------------------------------------

  subroutine fit_rows(comm, options, x, y, model, status)
    type(mlpd_comm), intent(in) :: comm
    type(mlpd_options), intent(inout) :: options
    type(c_rows), intent(in) :: x, y
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    type(c_data_rows), target :: rows
    integer(c_int) :: code
    code = need_options(options)
    rows%x = x
    rows%y = y
    if (code == mlpd_ok) then
      call c_options_rows(options%handle, c_loc(rows))
      code = c_fit(comm%handle, options%handle, model%handle)
      call c_options_rows(options%handle, c_null_ptr) ! the arrays may end here; options may be used again
    end if
    call finish(code, status)
  end subroutine

  subroutine fit_real64(comm, options, x, y, model, status)
    type(mlpd_comm), intent(in) :: comm
    type(mlpd_options), intent(inout) :: options
    real(real64), intent(in), target, contiguous :: x(:, :), y(:, :)
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    call fit_rows(comm, options, rows_real64(x), rows_real64(y), model, status)
  end subroutine

  subroutine fit_real32(comm, options, x, y, model, status)
    type(mlpd_comm), intent(in) :: comm
    type(mlpd_options), intent(inout) :: options
    real(real32), intent(in), target, contiguous :: x(:, :), y(:, :)
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    call fit_rows(comm, options, rows_real32(x), rows_real32(y), model, status)
  end subroutine

  subroutine fit_classes_real64(comm, options, x, y, model, status)
    type(mlpd_comm), intent(in) :: comm
    type(mlpd_options), intent(inout) :: options
    real(real64), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(in), target, contiguous :: y(:)
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    call fit_rows(comm, options, rows_real64(x), rows_classes(y), model, status)
  end subroutine

  subroutine fit_classes_real32(comm, options, x, y, model, status)
    type(mlpd_comm), intent(in) :: comm
    type(mlpd_options), intent(inout) :: options
    real(real32), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(in), target, contiguous :: y(:)
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    call fit_rows(comm, options, rows_real32(x), rows_classes(y), model, status)
  end subroutine

  ! ---- Training under way ------------------------------------------------------------------------------------------

  ! targets: of y, or the number of classes. steps_per_epoch: what a schedule counts as an epoch; buffer_rows: capacity of
  ! the replay buffer. Collective, as all but mlpd_steps and mlpd_current.
  subroutine mlpd_trainer_create(comm, options, features, targets, trainer, steps_per_epoch, buffer_rows, status)
    type(mlpd_comm), intent(in) :: comm
    type(mlpd_options), intent(inout) :: options
    integer, intent(in) :: features, targets
    type(mlpd_trainer), intent(out) :: trainer
    integer, intent(in), optional :: steps_per_epoch, buffer_rows
    integer, intent(out), optional :: status
    integer(c_int64_t) :: steps, rows
    integer(c_int) :: code
    steps = 1
    rows = 0
    if (present(steps_per_epoch)) steps = steps_per_epoch
    if (present(buffer_rows)) rows = buffer_rows
    trainer%features = features
    trainer%targets = targets
    code = need_options(options)
    if (code == mlpd_ok) code = c_trainer_create(comm%handle, options%handle, int(features, c_int32_t), &
                                                 int(targets, c_int32_t), steps, rows, trainer%handle)
    call finish(code, status)
  end subroutine

  ! x' = (x - shift) * scale; y_shift and y_scale, unless they are given, are found in the first samples. The arrays have
  ! as many elements as x has features, and y targets.
  subroutine mlpd_normalize(trainer, x_shift, x_scale, y_shift, y_scale, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real64), intent(in), target, contiguous :: x_shift(:), x_scale(:)
    real(real64), intent(in), target, contiguous, optional :: y_shift(:), y_scale(:)
    integer, intent(out), optional :: status
    type(c_ptr) :: shift, scale
    logical :: fits
    fits = size(x_shift) == trainer%features .and. size(x_scale) == trainer%features
    if (present(y_shift)) fits = fits .and. size(y_shift) == trainer%targets
    if (present(y_scale)) fits = fits .and. size(y_scale) == trainer%targets
    if (c_associated(trainer%handle) .and. .not. fits) then
      call refuse('mlpd_normalize: shift and scale have an element for each feature of x, and for each target of y', status)
      return
    end if
    shift = c_null_ptr
    scale = c_null_ptr
    if (present(y_shift)) shift = c_loc(y_shift)
    if (present(y_scale)) scale = c_loc(y_scale)
    call finish(c_trainer_normalize(trainer%handle, c_loc(x_shift), c_loc(x_scale), shift, scale), status)
  end subroutine

  subroutine step_rows(trainer, x, y, loss, status)
    type(mlpd_trainer), intent(in) :: trainer
    type(c_rows), intent(in), target :: x, y
    real(real64), intent(out), optional :: loss
    integer, intent(out), optional :: status
    real(c_double) :: mean
    mean = 0
    call finish(c_trainer_step(trainer%handle, c_loc(x), c_loc(y), mean), status)
    if (present(loss)) loss = mean
  end subroutine

  ! A step on samples drawn from the buffer. loss: the mean over the batch, before the step.
  subroutine mlpd_replay(trainer, loss, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real64), intent(out), optional :: loss
    integer, intent(out), optional :: status
    real(c_double) :: mean
    mean = 0
    call finish(c_trainer_step(trainer%handle, c_null_ptr, c_null_ptr, mean), status)
    if (present(loss)) loss = mean
  end subroutine

  ! Steps done so far; 0 where the variable holds no trainer.
  integer(int64) function mlpd_steps(trainer)
    type(mlpd_trainer), intent(in) :: trainer
    mlpd_steps = 0
    if (c_associated(trainer%handle)) mlpd_steps = c_trainer_steps(trainer%handle)
  end function

  ! The network as it is now (mlpd_trainer_model).
  subroutine mlpd_current(trainer, model, status)
    type(mlpd_trainer), intent(in) :: trainer
    type(mlpd_model), intent(out) :: model
    integer, intent(out), optional :: status
    call finish(c_trainer_model(trainer%handle, model%handle), status)
  end subroutine

  subroutine mlpd_trainer_save(trainer, path, status)
    type(mlpd_trainer), intent(in) :: trainer
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call finish(c_trainer_save(trainer%handle, c_text(path)), status)
  end subroutine

  subroutine mlpd_trainer_load(trainer, path, status)
    type(mlpd_trainer), intent(in) :: trainer
    character(*), intent(in) :: path
    integer, intent(out), optional :: status
    call finish(c_trainer_load(trainer%handle, c_text(path)), status)
  end subroutine

  subroutine add_real64(trainer, x, y, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real64), intent(in), target, contiguous :: x(:, :), y(:, :)
    integer, intent(out), optional :: status
    call finish(c_trainer_add(trainer%handle, rows_real64(x), rows_real64(y)), status)
  end subroutine

  subroutine add_real32(trainer, x, y, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real32), intent(in), target, contiguous :: x(:, :), y(:, :)
    integer, intent(out), optional :: status
    call finish(c_trainer_add(trainer%handle, rows_real32(x), rows_real32(y)), status)
  end subroutine

  subroutine add_classes_real64(trainer, x, y, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real64), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(in), target, contiguous :: y(:)
    integer, intent(out), optional :: status
    call finish(c_trainer_add(trainer%handle, rows_real64(x), rows_classes(y)), status)
  end subroutine

  subroutine add_classes_real32(trainer, x, y, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real32), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(in), target, contiguous :: y(:)
    integer, intent(out), optional :: status
    call finish(c_trainer_add(trainer%handle, rows_real32(x), rows_classes(y)), status)
  end subroutine

  subroutine step_real64(trainer, x, y, loss, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real64), intent(in), target, contiguous :: x(:, :), y(:, :)
    real(real64), intent(out), optional :: loss
    integer, intent(out), optional :: status
    call step_rows(trainer, rows_real64(x), rows_real64(y), loss, status)
  end subroutine

  subroutine step_real32(trainer, x, y, loss, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real32), intent(in), target, contiguous :: x(:, :), y(:, :)
    real(real64), intent(out), optional :: loss
    integer, intent(out), optional :: status
    call step_rows(trainer, rows_real32(x), rows_real32(y), loss, status)
  end subroutine

  subroutine step_classes_real64(trainer, x, y, loss, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real64), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(in), target, contiguous :: y(:)
    real(real64), intent(out), optional :: loss
    integer, intent(out), optional :: status
    call step_rows(trainer, rows_real64(x), rows_classes(y), loss, status)
  end subroutine

  subroutine step_classes_real32(trainer, x, y, loss, status)
    type(mlpd_trainer), intent(in) :: trainer
    real(real32), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(in), target, contiguous :: y(:)
    real(real64), intent(out), optional :: loss
    integer, intent(out), optional :: status
    call step_rows(trainer, rows_real32(x), rows_classes(y), loss, status)
  end subroutine

  ! ---- Predictions and derivatives ---------------------------------------------------------------------------------

  ! threads: OpenMP threads that share the samples of a call; 1, the default: none but the caller's.
  subroutine mlpd_predictor_create(model, predictor, threads, status)
    type(mlpd_model), intent(in) :: model
    type(mlpd_predictor), intent(out) :: predictor
    integer, intent(in), optional :: threads
    integer, intent(out), optional :: status
    integer(c_int) :: count
    count = 1
    if (present(threads)) count = int(threads, c_int)
    call finish(c_predictor_create(model%handle, count, predictor%handle), status)
  end subroutine

  subroutine predict_real64(predictor, x, y, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real64), intent(in), target, contiguous :: x(:, :)
    real(real64), intent(inout), target, contiguous :: y(:, :)
    integer, intent(out), optional :: status
    type(c_rows), target :: values
    values = rows_real64(y)
    call finish(c_predictor_run(predictor%handle, rows_real64(x), c_loc(values), c_null_ptr), status)
  end subroutine

  subroutine predict_real32(predictor, x, y, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real32), intent(in), target, contiguous :: x(:, :)
    real(real32), intent(inout), target, contiguous :: y(:, :)
    integer, intent(out), optional :: status
    type(c_rows), target :: values
    values = rows_real32(y)
    call finish(c_predictor_run(predictor%handle, rows_real32(x), c_loc(values), c_null_ptr), status)
  end subroutine

  subroutine classify_real64(predictor, x, classes, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real64), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(inout), target, contiguous :: classes(:)
    integer, intent(out), optional :: status
    if (size(classes) < size(x, 2)) then
      call refuse('mlpd_classify: fewer classes than samples', status)
      return
    end if
    call finish(c_predictor_run(predictor%handle, rows_real64(x), c_null_ptr, c_loc(classes)), status)
  end subroutine

  subroutine classify_real32(predictor, x, classes, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real32), intent(in), target, contiguous :: x(:, :)
    integer(int32), intent(inout), target, contiguous :: classes(:)
    integer, intent(out), optional :: status
    if (size(classes) < size(x, 2)) then
      call refuse('mlpd_classify: fewer classes than samples', status)
      return
    end if
    call finish(c_predictor_run(predictor%handle, rows_real32(x), c_null_ptr, c_loc(classes)), status)
  end subroutine

  ! jacobian(features, outputs, samples)
  subroutine jacobian_real64(predictor, x, jacobian, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real64), intent(in), target, contiguous :: x(:, :)
    real(real64), intent(inout), target, contiguous :: jacobian(:, :, :)
    integer, intent(out), optional :: status
    real(real64), pointer, contiguous :: flat(:, :)
    if (size(jacobian, 1) /= size(x, 1)) then
      call refuse('mlpd_jacobian: jacobian(features, outputs, samples) has other features than x', status)
      return
    end if
    flat(1:size(jacobian, 1) * size(jacobian, 2), 1:size(jacobian, 3)) => jacobian
    call finish(c_predictor_jacobian(predictor%handle, rows_real64(x), rows_real64(flat)), status)
  end subroutine

  subroutine jacobian_real32(predictor, x, jacobian, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real32), intent(in), target, contiguous :: x(:, :)
    real(real32), intent(inout), target, contiguous :: jacobian(:, :, :)
    integer, intent(out), optional :: status
    real(real32), pointer, contiguous :: flat(:, :)
    if (size(jacobian, 1) /= size(x, 1)) then
      call refuse('mlpd_jacobian: jacobian(features, outputs, samples) has other features than x', status)
      return
    end if
    flat(1:size(jacobian, 1) * size(jacobian, 2), 1:size(jacobian, 3)) => jacobian
    call finish(c_predictor_jacobian(predictor%handle, rows_real32(x), rows_real32(flat)), status)
  end subroutine

  subroutine vjp_real64(predictor, x, u, gradient, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real64), intent(in), target, contiguous :: x(:, :), u(:, :)
    real(real64), intent(inout), target, contiguous :: gradient(:, :)
    integer, intent(out), optional :: status
    call finish(c_predictor_vjp(predictor%handle, rows_real64(x), rows_real64(u), rows_real64(gradient)), status)
  end subroutine

  subroutine vjp_real32(predictor, x, u, gradient, status)
    type(mlpd_predictor), intent(in) :: predictor
    real(real32), intent(in), target, contiguous :: x(:, :), u(:, :)
    real(real32), intent(inout), target, contiguous :: gradient(:, :)
    integer, intent(out), optional :: status
    call finish(c_predictor_vjp(predictor%handle, rows_real32(x), rows_real32(u), rows_real32(gradient)), status)
  end subroutine

end module
