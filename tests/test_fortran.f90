! The Fortran module used in wrong orders and with wrong shapes: a status and a message each time, and no access to memory that
! is not there (compiled with the sanitizers by fortran.bats). Ends with "checks N" if all of them hold.
program test_fortran
  use mlpdist
  use, intrinsic :: iso_fortran_env, only: int32, int64
  implicit none
  integer, parameter :: dp = kind(1d0), samples = 40
  type(mlpd_comm) :: comm, no_comm
  type(mlpd_options) :: options, no_options
  type(mlpd_model) :: model, current, no_model
  type(mlpd_predictor) :: predictor, no_predictor
  type(mlpd_trainer) :: trainer, no_trainer
  real(dp) :: x(3, samples), y(2, samples), jacobian(3, 2, samples), exchanged(2, 3, samples), gradient(3, samples), loss
  integer(int32) :: classes(samples)
  integer :: i, status, checks = 0

  do i = 1, samples
    x(:, i) = sin(real(i, dp) * [1, 2, 3])
    y(:, i) = [x(1, i) * x(2, i), 10 + x(3, i)]
  end do

  ! Nothing has been made yet, and freeing nothing does nothing.
  call free_all()
  call without_objects()

  call mlpd_comm_alone(comm)
  call mlpd_set(options, 'hiden', '3', status)
  call fails('unknown option --hiden; did you mean --hidden?')
  call mlpd_set(options, 'hidden', '4')
  call mlpd_set(options, 'batch', '20')
  call mlpd_set(options, 'epochs', '2')
  call mlpd_fit(comm, options, x, y(:, 2:), model, status)
  call fails('y has 39 rows beside 40 rows of x')
  call mlpd_fit(comm, options, x, y, model)
  call holds(mlpd_features(model) == 3 .and. mlpd_outputs(model) == 2)

  call mlpd_predictor_create(model, predictor)
  call mlpd_predict(predictor, x(1:2, :), y, status)
  call fails('x has 2 columns where the model has 3')
  call mlpd_predict(predictor, x, y(:, 1:3), status)
  call fails('values has 3 rows, but x has 40')
  call mlpd_jacobian(predictor, x, exchanged, status)
  call fails('mlpd_jacobian: jacobian(features, outputs, samples) has other features than x')
  call mlpd_classify(predictor, x, classes(1:3), status)
  call fails('mlpd_classify: fewer classes than samples')
  call mlpd_classify(predictor, x, classes, status)
  call fails('classes') ! of a regression: the message is the library's again
  call mlpd_predict(predictor, x, y)
  call mlpd_jacobian(predictor, x, jacobian)
  call mlpd_vjp(predictor, x, y, gradient)
  do i = 1, samples
    call holds(all(abs(gradient(:, i) - matmul(jacobian(:, :, i), y(:, i))) < 1e-3_dp))
  end do

  ! The options of a fit serve again, for a trainer too: they hold no rows.
  call mlpd_trainer_create(comm, options, 3, 2, trainer, buffer_rows=30)
  call mlpd_normalize(trainer, [0.0_dp, 0.0_dp], [1.0_dp, 1.0_dp, 1.0_dp], status=status)
  call fails('mlpd_normalize: shift and scale have an element for each feature')
  call mlpd_normalize(trainer, [0.0_dp, 0.0_dp, 0.0_dp], [1.0_dp, 1.0_dp, 1.0_dp], [0.0_dp], [1.0_dp], status)
  call fails('mlpd_normalize: shift and scale have an element for each feature')
  call mlpd_replay(trainer, loss, status)
  call fails('the buffer has none')
  call mlpd_add(trainer, x, y)
  call mlpd_replay(trainer, loss)
  call mlpd_step(trainer, x(:, 1:20), y(:, 1:20), loss)
  call holds(mlpd_steps(trainer) == 2)
  call mlpd_current(trainer, current)
  call mlpd_trainer_save(trainer, 'no such folder/t.h5', status)
  call fails('no such folder/t.h5')

  call free_all()
  call free_all() ! once more
  call without_objects()
  print '(a, i0)', 'checks ', checks

contains

  subroutine free_all()
    call mlpd_free(trainer)
    call mlpd_free(predictor)
    call mlpd_free(current)
    call mlpd_free(model)
    call mlpd_free(options)
    call mlpd_free(comm)
  end subroutine

  ! Each procedure with the object that it needs most: it holds nothing.
  subroutine without_objects()
    call mlpd_fit(comm, no_options, x, y, no_model, status)
    call fails('comm is NULL')
    call mlpd_free(no_options)
    call mlpd_trainer_create(no_comm, no_options, 3, 2, no_trainer, status=status)
    call fails('comm is NULL')
    call mlpd_free(no_options)
    call mlpd_predictor_create(model, no_predictor, status=status)
    call fails('model is NULL')
    call mlpd_save(model, 'model.h5', status)
    call fails('model is NULL')
    call holds(mlpd_features(model) == 0 .and. mlpd_outputs(model) == 0)
    call mlpd_predict(predictor, x, y, status)
    call fails('predictor is NULL')
    call mlpd_classify(predictor, x, classes, status)
    call fails('predictor is NULL')
    call mlpd_jacobian(predictor, x, jacobian, status)
    call fails('predictor is NULL')
    call mlpd_vjp(predictor, x, y, gradient, status)
    call fails('predictor is NULL')
    call mlpd_normalize(trainer, [0.0_dp], [1.0_dp], status=status)
    call fails('trainer is NULL')
    call mlpd_add(trainer, x, y, status)
    call fails('trainer is NULL')
    call mlpd_step(trainer, x, y, loss, status)
    call fails('trainer is NULL')
    call mlpd_replay(trainer, loss, status)
    call fails('trainer is NULL')
    call mlpd_current(trainer, no_model, status)
    call fails('trainer is NULL')
    call mlpd_trainer_save(trainer, 't.h5', status)
    call fails('trainer is NULL')
    call mlpd_trainer_load(trainer, 't.h5', status)
    call fails('trainer is NULL')
    call holds(mlpd_steps(trainer) == 0_int64)
  end subroutine

  ! The last status is that of a failure, and its message holds the words.
  subroutine fails(words)
    character(*), intent(in) :: words
    if (status == mlpd_ok .or. index(mlpd_message(), words) == 0) then
      print '(a, i0, 4a)', 'status ', status, ', "', mlpd_message(), '" without ', words
      error stop 1
    end if
    checks = checks + 1
  end subroutine

  subroutine holds(condition)
    logical, intent(in) :: condition
    checks = checks + 1
    if (condition) return
    print '(a, i0)', 'wrong: check ', checks
    error stop 1
  end subroutine
end program
